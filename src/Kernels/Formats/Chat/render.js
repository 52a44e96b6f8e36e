// Runs a chat template with the library before it, which is module.exports here. Globals are those that templates expect,
// but the clock stands still: the same conversation gives the same text on every day.
const { Environment, Interpreter, parse, tokenize } = module.exports;

// What one native call may build is bounded here, since the engine looks at its limits only between statements.
function bound(method, size) {
  return function (...args) {
    if (size(this, args) > maxChars) throw new RangeError("the text is too long");
    return method.apply(this, args);
  };
}
String.prototype.repeat = bound(String.prototype.repeat, (text, args) => text.length * args[0]);
Array.prototype.join = bound(Array.prototype.join, (items, args) => {
  const separator = args[0] === undefined ? 1 : String(args[0]).length;
  let chars = separator * items.length;
  for (let i = 0; i < items.length && chars <= maxChars; i++) chars += String(items[i]).length;
  return chars;
});

class Refusal extends Error {}

function range(start, stop, step = 1) {
  if (stop === undefined) [start, stop] = [0, start];
  if (step === 0) throw new Error("range() needs a step other than 0");
  const numbers = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) numbers.push(i);
  return numbers;
}

// Noon of the day that Llama's templates assume where they are given none, so that with and without a clock they say the same.
const moment = { Y: "2024", y: "24", m: "07", d: "26", B: "July", b: "Jul", A: "Friday", a: "Fri", H: "12", M: "00", S: "00" };

function clock(format) {
  return format.replace(/%([a-zA-Z%])/g, (token, letter) => (letter === "%" ? "%" : moment[letter] ?? token));
}

function compile(template) {
  return parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
}

function render(program, input) {
  const environment = new Environment();
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
  // Tools and documents are there but none, as where these templates come from.
  const given = { ...constants, tools: null, documents: null, ...JSON.parse(input) };
  for (const [name, value] of Object.entries(given)) environment.set(name, value);
  environment.set("range", range);
  environment.set("strftime_now", clock);
  environment.set("raise_exception", (message) => {
    throw new Refusal(String(message));
  });
  return new Interpreter(environment).run(program).value;
}

function isRefusal(error) {
  return error instanceof Refusal;
}
