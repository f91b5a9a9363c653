// What people write down of one family, from the call of a school to the end of the work.

import { day } from "./answers.mjs";

export const referral = {
  "Is somebody in danger right now?": "No",
  "Who asks for help?": "A school, kindergarten or child care",
  "What is the work of the person who referred the family?": "School nurse of a primary school",
  "Do they want to hear what happens next?": "No",
  "How many children under 18 are in the family?": "2",
  "Does the family live where this service works?": "Yes",
  "What is it about?": ["Daily life: meals, school mornings, sleep", "A place to live"],
  "What happened, in a few sentences?": "The older child misses two days of school each week",
  "Does the family know about the referral?": "Yes, and they want it",
  "Does the family want an interpreter?": "Yes",
  "In which language do they want to talk?": "Vietnamese",
  "Does the family say that they are Aboriginal or Torres Strait Islander?": "Neither",
  "How may we reach the family safely?": ["By phone", "By a visit"],
  "Is there somebody who must not learn of it?": "Yes",
};

export const screening = {
  "May a child be harmed?": "There is no sign of it",
  "Is there a parent who can and will keep the children safe?": "Yes",
  "Why do you decide so?": "The mother asks for help",
};

// As the referral says.
export const engage = {
  "Who asked for help?": "A school, kindergarten or child care",
  "Does the family want an interpreter?": "Yes",
  "In which language does the family want to talk?": "Vietnamese",
  "Does the family say that they are Aboriginal or Torres Strait Islander?": "Neither",
  "How may we reach the family safely?": ["By phone", "By a visit"],
  "Is there somebody who must not learn of it?": "Yes",
};

export const attempt = {
  "How did you try?": "By phone",
  "Is it one of the safe ways?": "Yes",
  "On which day?": day(0),
  "What happened?": "They are glad of the call",
};

const outside = {
  "What is the number of the interpreter?": "NAATI 12345",
  "Is it somebody from outside the family, and grown up?": "Yes",
};

export const interpreter = { "Is there an interpreter?": "Yes", ...outside };

const interpreted = { "Was an interpreter there?": "Yes", ...outside };

export const explaining = {
  "On which day did you talk?": day(0),
  ...interpreted,
  "What did you explain?": [
    "What we do and what we do not",
    "That they may say no, also later",
    "What we write down, and that they may read it",
    "When we must tell Child Safety",
    "How they can complain",
  ],
};

export const consent = {
  ...interpreted,
  "What does the family say?": "Yes, to what is written below",
  Permissions: [{
    "Who agrees?": "Mother",
    "Who may be told?": "School, kindergarten or child care",
    "What may be told?": "What the family needs from them",
    "For what?": "School mornings",
    "Until when?": day(300),
  }],
  "How did they say it?": "They signed it",
};

export const safety = {
  "Which ways are safe?": ["By phone"],
  "May we leave a message?": "No, never",
  "Did you agree on a word by which they know us?": "Yes",
  "Is there somebody who must not learn of it?": "Yes",
  "When do you ask again?": day(90),
};

export const assessment = {
  "How safe is everybody at home?": "It goes well",
  "How is the place where they live?": "It is hard",
  "How is it with money?": "It is hard",
  "How is the health of the children?": "It goes well",
  "How do the children learn, at school or before?": "It is hard",
  "How is it to bring up the children?": "It goes well",
  "How do they get on with each other?": "It goes well",
  "Is violence at home a worry?": "No",
  "Are alcohol or drugs a worry?": "No",
  "How do the parents feel?": "It is a little hard",
  "How is it with culture, relatives and friends?": "It goes well",
  "What are they good at?": "They laugh a lot",
  "What keeps the children safe?": "The grandmother",
  "What matters most to the family?": "Sleep",
};

export const plan = {
  Goals: [
    {
      "What does the family want?": "Each child sleeps in their own bed",
      "What kind of help is it?":
        "Practical: transport, meals and school mornings, a break from caring",
      "What will be done?": "A bed from the brokerage",
      "Who does it?": "The case worker",
      "By when?": day(60),
      "How do we see that it is reached?": "Two weeks of nights without waking each other",
      "Where is it today, from 0 (not at all) to 10 (reached)?": "2",
    },
    {
      "What does the family want?": "A home with a room for the children",
      "What kind of help is it?": "Enabling: housing, child care, emergency payments, rent",
      "What will be done?": "An application to the housing register",
      "Who does it?": "Both together",
      "By when?": day(120),
      "How do we see that it is reached?": "They are on the register",
      "Where is it today, from 0 (not at all) to 10 (reached)?": "0",
    },
  ],
  "What do they do when it gets hard at night or on a weekend?": "The grandmother comes over",
  "Whom do they call then?": ["A relative or a friend"],
};

export const agreement = {
  ...interpreted,
  "Who answered?": [{ "Who is it?": "Mother", "What is their name?": "Mai Nguyen", "What do they say?": "They agree" }],
  "Answers to the goals": [
    { "Number of the goal": "1", "What does the family say?": "They agree" },
    { "Number of the goal": "2", "What does the family say?": "They agree" },
  ],
  "How did they say it?": "They signed it",
  "Does the family have a copy of the plan?": "Yes",
};

export const planLook = {
  "What did you look at?": [
    "Whether the children are safe with this plan",
    "Whether the goals are the family's own",
    "Whether there is help at night and on weekends",
  ],
};

export const brokerage = {
  "What kind of help is it?": "Household goods",
  "What will be bought?": "A bed and a mattress",
  "How does it help with a goal of the plan?": "Goal 1 of the plan",
  "Is this goal active and agreed with the family?": "Yes",
  "What other sources did you ask first?": [
    { "Who was asked?": "A charity", "What did they answer?": "They do not pay for it" },
  ],
  "What does the family give?": "They cannot pay anything",
  "Name of the supplier": "Ridgeview Furniture",
  "Account of the supplier": "sec:pay/ridgeview",
  Amount: "650",
  "How do things get to the family?": "A worker collects them and brings them",
};

export const home = {
  "Who would live there?": [
    { "Who is it?": "Applicant" },
    { "Who is it?": "Child", "Date of birth": "2019-03-04" },
  ],
  "Where would they like to live?": [{ Suburb: "Logan Central" }],
  "How many bedrooms do they need?": "3",
  "Is the family leaving violence, and do they want the register to know?": "No",
  "What is the first reason, beyond money?": "The home is too small",
  "What is the second reason, beyond money?": "To be near help or family",
  "Income of the household in a week, before tax": "680",
};

export const closure = {
  "Why does the work end?": "All goals are reached, or most of them",
  "Had the family agreed that we work with them?": "Yes",
  "What became of the goals?": [
    {
      "Number of the goal in the plan": "1",
      "What kind of help was it?": "Practical",
      "What became of it?": "It is reached",
      "Where is it today, from 0 (not at all) to 10 (reached)?": "10",
    },
    {
      "Number of the goal in the plan": "2",
      "What kind of help was it?": "Enabling",
      "What became of it?": "It is reached",
      "Where is it today, from 0 (not at all) to 10 (reached)?": "9",
    },
  ],
  "Who helps from now on?": ["Relatives and friends", "School, kindergarten or child care"],
  "Is all brokerage paid or taken back?": "Yes",
  "Does somebody look after every open referral?": "Yes",
  "Is everybody safe, as far as you know?": "Yes",
  "Did Child Safety refer the family?": "No",
  "Is a letter to the family safe?": "No",
};

export const closingTalk = {
  "On which day did you talk?": day(0),
  "What does the family say?": "We can do it",
  "How good was our help, from 0 to 10?": "9",
  "What do the children say, or why were they not asked?": "They drew a picture",
  "May we ask in six weeks how it goes?": "No",
};

export const closingDecision = {
  "What did you look at?": [
    "Whether all brokerage is settled",
    "Whether somebody looks after every referral",
    "Whether the notes of the case are complete",
    "Whether the family was heard",
  ],
};
