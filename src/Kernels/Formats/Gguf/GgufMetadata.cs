using System.Diagnostics.CodeAnalysis;

namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>
/// The metadata pairs of a file. Values are boxed: <see cref="ulong"/> for unsigned numbers, <see cref="long"/> for
/// signed ones, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/> or <see cref="GgufArray"/>.
/// </summary>
public sealed class GgufMetadata
{
    private readonly Dictionary<string, object> values;

    internal GgufMetadata(Dictionary<string, object> values, IReadOnlyList<GgufPair> places)
    {
        this.values = values;
        Places = places;
    }

    /// <summary>Where each value is, in the order of the file.</summary>
    internal IReadOnlyList<GgufPair> Places { get; }

    /// <summary>All keys, in no order that matters.</summary>
    public IReadOnlyCollection<string> Keys => values.Keys;

    /// <summary>The boxed value of a key.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out object? value) => values.TryGetValue(key, out value);

    /// <summary>A text, or null where the key is absent.</summary>
    /// <exception cref="GgufException">The value is of another type.</exception>
    public string? Text(string key) => Get<string>(key, "a text");

    /// <summary>An array, or null where the key is absent.</summary>
    /// <exception cref="GgufException">The value is of another type.</exception>
    public GgufArray? Array(string key) => Get<GgufArray>(key, "an array");

    /// <summary>A flag, or null where the key is absent.</summary>
    /// <exception cref="GgufException">The value is of another type.</exception>
    public bool? Flag(string key) => values.ContainsKey(key) ? GetValue<bool>(key, "a flag") : null;

    /// <summary>A non-negative whole number, or null where the key is absent.</summary>
    /// <exception cref="GgufException">The value is of another type, negative or beyond <paramref name="limit"/>.</exception>
    public int? Count(string key, int limit)
    {
        if (!values.TryGetValue(key, out var value))
            return null;
        return value switch
        {
            ulong number when number <= (ulong)limit => (int)number,
            long number when number >= 0 && number <= limit => (int)number,
            ulong or long => throw new GgufException(GgufFault.Model, $"{key} is {value}, outside 0 to {limit}."),
            _ => throw WrongType(key, "a whole number"),
        };
    }

    private T? Get<T>(string key, string wanted)
        where T : class
    {
        if (!values.TryGetValue(key, out var value))
            return null;
        return value as T ?? throw WrongType(key, wanted);
    }

    private T GetValue<T>(string key, string wanted)
        where T : struct => values[key] is T value ? value : throw WrongType(key, wanted);

    private static GgufException WrongType(string key, string wanted) =>
        new(GgufFault.ValueType, $"The value of {key} is not {wanted}.");
}
