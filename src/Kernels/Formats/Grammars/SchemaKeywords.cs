namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>The keywords of JSON Schema, by what is done with them here. Others say nothing about which values are valid.</summary>
internal static class SchemaKeywords
{
    public static readonly IReadOnlySet<string> OfStrings = Set("minLength", "maxLength", "pattern", "format");

    public static readonly IReadOnlySet<string> OfNumbers = Set(
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf"
    );

    public static readonly IReadOnlySet<string> OfObjects = Set(
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties"
    );

    public static readonly IReadOnlySet<string> OfArrays = Set(
        "items",
        "prefixItems",
        "additionalItems",
        "minItems",
        "maxItems",
        "uniqueItems"
    );

    /// <summary>They decide what is valid, in ways no grammar of a reasonable size says.</summary>
    public static readonly IReadOnlySet<string> Refused = Set(
        "not",
        "if",
        "then",
        "else",
        "patternProperties",
        "propertyNames",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "contains",
        "minContains",
        "maxContains",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
        "$recursiveRef"
    );

    private static readonly HashSet<string> Others = Set("$ref", "type", "enum", "const", "allOf", "anyOf", "oneOf");

    /// <summary>Whether a keyword decides what is valid.</summary>
    public static bool Decides(string keyword) =>
        Others.Contains(keyword)
        || OfStrings.Contains(keyword)
        || OfNumbers.Contains(keyword)
        || OfObjects.Contains(keyword)
        || OfArrays.Contains(keyword)
        || Refused.Contains(keyword);

    private static HashSet<string> Set(params string[] names) => new(names, StringComparer.Ordinal);
}
