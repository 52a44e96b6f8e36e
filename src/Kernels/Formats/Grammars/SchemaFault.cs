namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>Stable codes of <see cref="SchemaException"/>.</summary>
public static class SchemaFault
{
    /// <summary>It is no JSON Schema.</summary>
    public const string Invalid = "schema_invalid";

    /// <summary>It uses what no grammar is made of here.</summary>
    public const string Unsupported = "schema_unsupported";

    /// <summary>No text satisfies it.</summary>
    public const string Impossible = "schema_impossible";

    /// <summary>Its grammar would be larger than any engine should be given.</summary>
    public const string Limit = "schema_limit";
}
