// Judges texts by their schemas: node ajv.cjs AJV CASES. CASES has a line of JSON {schema, texts} each; for each text a
// line tells what is wrong with it, or nothing.
const fs = require("fs");
const Ajv = require(process.argv[2]);

// A property that all objects of JavaScript have is none of the text's.
const ajv = new Ajv({ strict: false, logger: false, ownProperties: true, validateFormats: false, multipleOfPrecision: 5 });
for (const line of fs.readFileSync(process.argv[3], "utf8").split("\n").filter(Boolean)) {
  const { schema, texts } = JSON.parse(line);
  const parsed = JSON.parse(schema);
  const validate = ajv.compile(parsed);
  ajv.removeSchema(parsed);
  for (const text of texts) console.log(judge(validate, text));
}

function judge(validate, text) {
  try {
    return validate(JSON.parse(text)) ? "" : validate.errors[0].instancePath + " " + validate.errors[0].message;
  } catch (e) {
    return String(e).replaceAll("\n", " ");
  }
}
