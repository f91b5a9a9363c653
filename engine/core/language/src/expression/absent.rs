//! What jq has and expressions do not, with the reason and what to use instead.

/// Why a function does not exist; `None` for all others.
pub(super) fn function(name: &str) -> Option<&'static str> {
    Some(match name {
        "env" => ENVIRONMENT,
        "input" | "inputs" | "input_filename" | "input_line_number" => {
            "an expression sees one input, which is `.`; results of earlier tasks are in `$steps`"
        }
        "now" => CLOCK,
        "localtime" | "strflocaltime" => {
            "expressions have no local time zone; use `gmtime` or `strftime`, or leave times to \
             the console, which shows them in the agency's zone"
        }
        "halt" | "halt_error" => "an expression cannot stop the engine; use a `raise` task",
        "debug" | "stderr" | "debug_empty" | "stderr_empty" => {
            "nothing is printed from expressions; `casewright run --json` shows the tasks"
        }
        "import" | "include" | "module" | "modulemeta" | "get_search_list" => {
            "modules do not exist in expressions; write the definition with `def` in place"
        }
        _ => return None,
    })
}

/// Why a variable does not exist; `None` for all others.
pub(super) fn variable(name: &str) -> Option<&'static str> {
    match name {
        "ENV" => Some(ENVIRONMENT),
        "__loc__" | "__prog_args" => Some("it belongs to the command line of jq"),
        _ => None,
    }
}

const ENVIRONMENT: &str = "expressions cannot read the server's environment; give the value as \
                           input of the workflow or in the plugin's configuration";
const CLOCK: &str = "expressions have no clock, so that they give the same when they are looked at \
                     again; use `$task.startedAt` or `$workflow.startedAt`";
