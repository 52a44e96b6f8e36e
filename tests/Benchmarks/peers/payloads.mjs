import { randomBytes } from "node:crypto";

// Text that does not compress, as many different ones as ours uses.
const texts = Array.from({ length: 64 }, () => randomBytes(768).toString("base64"));

/** The body of job number `sequence`: 1 KB of text, and the number by which the worker names it. */
export const payload = (sequence) => ({ sequence, text: texts[sequence % texts.length] });
