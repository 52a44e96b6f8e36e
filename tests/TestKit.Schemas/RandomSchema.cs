using System.Globalization;
using System.Text.Json.Nodes;

namespace EgpuFleet.TestKit.Schemas;

/// <summary>Random schemas, each keyword that grammars are made of among them, bounds at random.</summary>
public sealed class RandomSchema(Random random)
{
    private static readonly string[] Names =
    [
        "a",
        "ab",
        "abc",
        "b",
        "name",
        "names",
        "",
        "two words",
        "quote\"d",
        "back\\slash",
        "tab\t",
        "日本",
        "🚀",
        "é",
        "$ref",
        "type",
        "0",
        "constructor",
        "line\nend",
        "]",
        "-",
        "^",
    ];

    private static readonly string[] Patterns =
    [
        "^[a-z]{2,5}$",
        "^\\d{3}-\\d{4}$",
        "^(?:red|green|blue)$",
        "^[A-Z][a-z]*( [A-Z][a-z]*)?$",
        "x",
        "^a",
        "z$",
        "^[^\"\\\\]{1,3}$",
        "^\\w+@\\w+\\.(com|org)$",
        "^(a|b(c|d){1,2}|)$",
        "^[\\u00e0-\\u00ff]+$",
        "^.{4}$",
        "^\\S\\s\\S$",
        "^[-+]?[0-9]+$",
        "^\\.\\*\\?$",
        "^[\\]\\[^-]$",
        "^\\x41?$",
        "^(?<year>\\d{4})$",
        "one|^two$|^three",
    ];

    private static readonly string[] Formats =
    [
        "date",
        "time",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uuid",
        "uri",
        "unheard-of",
    ];

    private readonly JsonObject definitions = [];

    public JsonObject Next()
    {
        definitions.Clear();
        for (var nth = random.Next(3); nth > 0; nth--)
            definitions[$"d{nth}"] = null;
        foreach (var name in definitions.Select(pair => pair.Key).ToList())
            // Such as may hold themselves, but are not just themselves.
            definitions[name] = random.Next(2) == 0 ? Object(2) : Array(2);
        var schema = Schema(4);
        if (definitions.Count > 0)
            schema["$defs"] = definitions.DeepClone();
        return schema;
    }

    private JsonObject Schema(int depth) =>
        random.Next(depth > 0 ? 16 : 8) switch
        {
            0 or 1 => Text(),
            2 or 3 => Whole(),
            4 => Number(),
            5 => Listed(),
            6 => new() { ["type"] = random.Next(2) == 0 ? "boolean" : "null" },
            7 when definitions.Count > 0 => new()
            {
                ["$ref"] = $"#/$defs/{Any([.. definitions.Select(pair => pair.Key)])}",
            },
            7 => new() { ["type"] = new JsonArray("string", "null") },
            8 or 9 => Array(depth - 1),
            10 => new() { ["anyOf"] = Schemas(depth - 1, 1 + random.Next(3)) },
            11 => Discriminated(depth - 1),
            12 => Joined(depth - 1),
            _ => Object(depth - 1),
        };

    private JsonArray Schemas(int depth, int count) => new([.. Enumerable.Range(0, count).Select(_ => Schema(depth))]);

    private JsonObject Text()
    {
        var schema = new JsonObject { ["type"] = "string" };
        switch (random.Next(4))
        {
            case 0:
                schema["pattern"] = Any(Patterns);
                break;
            case 1:
                schema["format"] = Any(Formats);
                break;
            case 2:
                Bounds(schema, "minLength", "maxLength");
                break;
        }
        return schema;
    }

    private JsonObject Whole()
    {
        var schema = new JsonObject { ["type"] = "integer" };
        if (random.Next(6) == 0)
            schema["multipleOf"] = 1 + random.Next(20);
        else
            Range(
                schema,
                () => random.Next(2) == 0 ? random.Next(-30, 30) : random.NextInt64(-5_000_000_000, 5_000_000_000)
            );
        return schema;
    }

    private JsonObject Number()
    {
        var schema = new JsonObject { ["type"] = "number" };
        if (random.Next(6) == 0)
            schema["multipleOf"] = Any([1m, 5m, 0.1m, 0.01m]);
        else
            Range(
                schema,
                () => Math.Round((decimal)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(6))), random.Next(5))
            );
        return schema;
    }

    private void Range(JsonObject schema, Func<decimal> draw)
    {
        var bounds = new[] { draw(), draw() + 1 };
        System.Array.Sort(bounds);
        if (random.Next(3) > 0)
            schema[random.Next(3) == 0 ? "exclusiveMinimum" : "minimum"] = bounds[0];
        if (random.Next(3) > 0)
            schema[random.Next(3) == 0 ? "exclusiveMaximum" : "maximum"] = bounds[1] + 2;
    }

    private JsonObject Listed()
    {
        JsonNode?[] values =
        [
            1,
            -0.5,
            "x",
            "a \"quoted\"\n\tone",
            "🚀",
            true,
            null,
            new JsonArray(1, "two"),
            new JsonObject { ["k"] = new JsonArray() },
        ];
        return random.Next(3) == 0
            ? new() { ["const"] = Any(values)?.DeepClone() }
            : new()
            {
                ["enum"] = new JsonArray([
                    .. values
                        .Where(_ => random.Next(2) == 0)
                        .Append(null)
                        .Select(value => value?.DeepClone())
                        .DistinctBy(value => value?.ToJsonString()),
                ]),
            };
    }

    private JsonObject Array(int depth)
    {
        var schema = new JsonObject { ["type"] = "array" };
        if (random.Next(3) == 0)
        {
            var first = Schemas(depth, 1 + random.Next(3));
            if (random.Next(2) == 0)
                (schema["minItems"], schema["maxItems"]) = (random.Next(first.Count + 1), first.Count + random.Next(3));
            schema["prefixItems"] = first;
            if (random.Next(2) == 0)
                schema["items"] = random.Next(2) == 0 ? false : Schema(depth);
            if (schema["items"] is JsonValue)
                (schema["minItems"], schema["maxItems"]) = (null, null);
            foreach (var name in schema.Where(pair => pair.Value is null).Select(pair => pair.Key).ToList())
                schema.Remove(name);
            return schema;
        }
        schema["items"] = Schema(depth);
        if (random.Next(2) == 0)
            Bounds(schema, "minItems", "maxItems");
        return schema;
    }

    private JsonObject Object(int depth)
    {
        var names = Names.Where(_ => random.Next(6) == 0).ToList();
        var schema = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(names.Select(name => KeyValuePair.Create(name, (JsonNode?)Schema(depth)))),
            ["required"] = new JsonArray([
                .. names.Where(_ => random.Next(2) == 0).Select(name => JsonValue.Create(name)),
            ]),
        };
        switch (random.Next(4))
        {
            case 0:
                schema["additionalProperties"] = true;
                break;
            case 1:
                schema["additionalProperties"] = Schema(depth);
                break;
            case 2:
                schema["additionalProperties"] = false;
                break;
        }
        return schema;
    }

    private JsonObject Discriminated(int depth)
    {
        var ways = Enumerable
            .Range(0, 1 + random.Next(3))
            .Select(nth =>
                (JsonNode?)
                    new JsonObject
                    {
                        ["type"] = "object",
                        ["properties"] = new JsonObject
                        {
                            ["kind"] = new JsonObject { ["const"] = $"k{nth}" },
                            ["value"] = Schema(depth),
                        },
                        ["required"] = new JsonArray("kind"),
                        ["additionalProperties"] = false,
                    }
            );
        return new() { ["oneOf"] = new JsonArray([.. ways]) };
    }

    private JsonObject Joined(int depth)
    {
        var (one, other) = (Any(Names), Any(Names));
        return new()
        {
            ["type"] = "object",
            ["allOf"] = new JsonArray(
                new JsonObject
                {
                    ["properties"] = new JsonObject { [one] = Schema(depth) },
                    ["required"] = new JsonArray(one),
                },
                new JsonObject { ["properties"] = new JsonObject { [other + "2"] = Schema(depth) } }
            ),
        };
    }

    private void Bounds(JsonObject schema, string least, string most)
    {
        var from = random.Next(4);
        if (random.Next(3) > 0)
            schema[least] = from;
        if (random.Next(3) > 0)
            schema[most] = from + random.Next(random.Next(8) == 0 ? 300 : 4);
    }

    private T Any<T>(IReadOnlyList<T> values) => values[random.Next(values.Count)];
}
