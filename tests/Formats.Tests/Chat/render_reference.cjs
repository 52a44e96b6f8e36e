// Renders templates with the library as it is: node render_reference.cjs JINJA CASES. CASES has a line of JSON
// {source, input} each, with the variables as text; for each a line of JSON tells the text, or null where it fails.
const fs = require("fs");
const { Template } = require(process.argv[2]);

// The day on which the clock of our renderer stands.
const Clock = Date;
globalThis.Date = class extends Clock {
  constructor(...given) {
    super(...(given.length ? given : [2024, 6, 26, 12]));
  }
};

for (const line of fs.readFileSync(process.argv[3], "utf8").split("\n").filter(Boolean)) {
  const { source, input } = JSON.parse(line);
  try {
    const variables = { tools: null, documents: null, ...JSON.parse(input) };
    console.log(JSON.stringify(new Template(source).render(variables)));
  } catch {
    console.log("null");
  }
}
