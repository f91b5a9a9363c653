//! Questions of the machine, put to the evaluator process.

use casewright_host::evaluator::{Evaluator, Program, Results};
use casewright_language::{Answer, Question};
use casewright_runtime::port::{Boxed, Evaluate};

pub(crate) struct EvaluatorProcess(Evaluator);

impl EvaluatorProcess {
    /// Starts processes of this binary when they are needed.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self(Evaluator::new(std::env::current_exe()?)))
    }

    /// Whether the expression compiles; the sentence says why not.
    pub(crate) async fn check(&self, question: &Question) -> Result<(), String> {
        match self.0.evaluate(program(question.clone(), true)).await {
            Results::Failed(sentence) => Err(sentence),
            Results::One(_) | Results::None | Results::Many => Ok(()),
        }
    }
}

impl Evaluate for EvaluatorProcess {
    fn evaluate(&self, question: Question) -> Boxed<'_, Answer> {
        Box::pin(async move {
            match self.0.evaluate(program(question, false)).await {
                Results::One(value) => Answer::One(value),
                Results::None => Answer::None,
                Results::Many => Answer::Many,
                Results::Failed(sentence) => Answer::Failed(sentence),
            }
        })
    }

    fn compile(&self, question: Question) -> Boxed<'_, Result<(), String>> {
        Box::pin(async move { self.check(&question).await })
    }
}

fn program(question: Question, check: bool) -> Program {
    Program {
        text: question.program,
        input: question.input,
        variables: question.variables,
        check,
    }
}
