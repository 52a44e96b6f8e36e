namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>A JSON Schema cannot be made a grammar.</summary>
/// <param name="code">One of <see cref="SchemaFault"/>: stable, for programs.</param>
/// <param name="path">Where in the schema, as a JSON Pointer; <c>#</c> is the whole.</param>
/// <param name="reason">What is wrong there, for people.</param>
public sealed class SchemaException(string code, string path, string reason) : Exception($"{path}: {reason}")
{
    /// <summary>One of <see cref="SchemaFault"/>.</summary>
    public string Code { get; } = code;

    /// <summary>Where in the schema, as a JSON Pointer.</summary>
    public string Path { get; } = path;
}
