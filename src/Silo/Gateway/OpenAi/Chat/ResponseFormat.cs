using System.Net;
using System.Text.Json;
using EgpuFleet.Kernels.Formats.Grammars;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary><c>response_format</c>: what the answer is held to.</summary>
internal static class ResponseFormat
{
    private const string Name = "response_format";
    private const string Schema = "json_schema";

    private static readonly JsonElement AnyObject = JsonSerializer.Deserialize<JsonElement>("""{"type":"object"}""");

    /// <returns>A JSON Schema; null: any text will do.</returns>
    /// <exception cref="GatewayException">400: it is no such format, or no grammar can be made of its schema.</exception>
    public static JsonElement? Read(RequestFields fields)
    {
        if (fields.Value(Name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Object)
            throw RequestFields.Wrong(Name, "must be an object");
        var format = new RequestFields(value, Name);
        return format.Text("type") switch
        {
            "text" => null,
            "json_object" => AnyObject,
            Schema => OfSchema(format),
            null => throw RequestFields.Missing(format.At("type")),
            _ => throw RequestFields.Wrong(format.At("type"), $"must be text, json_object or {Schema}"),
        };
    }

    private static JsonElement OfSchema(RequestFields format)
    {
        if (format.Value(Schema) is not { ValueKind: JsonValueKind.Object } value)
            throw RequestFields.Missing(format.At(Schema));
        var named = new RequestFields(value, format.At(Schema));
        if (!IsName(named.RequiredText("name")))
            throw RequestFields.Wrong(
                named.At("name"),
                $"must be at most {Limits.SchemaNameLength} letters, digits, underscores and dashes"
            );
        // With or without it, the answer is held to the schema.
        named.Flag("strict");
        if (named.Value("schema") is not { } schema)
            return AnyObject;
        Check(schema, named.At("schema"));
        return schema.Clone();
    }

    /// <summary>Whether an answer can be held to it, before a model is looked for.</summary>
    private static void Check(JsonElement schema, string at)
    {
        try
        {
            SchemaGrammar.Of(schema);
        }
        catch (SchemaException e)
        {
            throw new GatewayException(HttpStatusCode.BadRequest, e.Code, $"The schema at {e.Message}.") { Param = at };
        }
    }

    private static bool IsName(string name) =>
        name.Length <= Limits.SchemaNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');
}
