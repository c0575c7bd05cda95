// What a network says about a picture, in a few words: of classes the likeliest, of labels those that hold.

import { percent, value } from "../numbers.js";

const NAMED = 3; // labels or numbers that are written out

/** The words, and how probable that is (null where that means nothing). */
export function said(answer, { classes, gives }) {
  const { best, lost, outputs, probabilities } = answer;
  if (lost) return ["no answer", null];
  if (gives === "maps") return ["map", null];
  if (gives === "numbers") return [several(outputs.map(value)), null];
  if (gives === "labels") return [several(named(answer, classes)) || "none", null];
  return [classes[best] ?? best, probabilities[best]];
}

/** The labels that hold: those with a probability of one half and more. */
function named({ probabilities }, classes) {
  return probabilities.flatMap((one, at) => (one >= 0.5 ? [classes[at] ?? at] : []));
}

function several(words) {
  return words.length > NAMED ? `${words.slice(0, NAMED).join(", ")} …` : words.join(", ");
}

/** The same with the probability in one line. */
export function line(answer, model) {
  const [words, share] = said(answer, model);
  return share === null ? words : `${words}: ${percent(share)}`;
}
