using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EgpuFleet.Grains.Interfaces.Checkpoints;

/// <summary>A checkpoint. Text form <c>ckpt_</c> + 32 hex digits; the value is a version-7 UUID, so ids sort by creation.</summary>
[GenerateSerializer, Immutable, Alias("fleet.CheckpointId")]
public readonly record struct CheckpointId([property: Id(0)] Guid Value)
{
    private const string Prefix = "ckpt_";

    /// <summary>A new id, ordered by <paramref name="now"/>.</summary>
    public static CheckpointId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));

    /// <summary>Reads the text form; false when it is not exactly one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out CheckpointId id)
    {
        var isOne =
            Guid.TryParseExact(text.AsSpan(Math.Min(Prefix.Length, text?.Length ?? 0)), "N", out var value)
            && text!.StartsWith(Prefix, StringComparison.Ordinal);
        id = isOne ? new CheckpointId(value) : default;
        return isOne;
    }

    public override string ToString() => Prefix + Value.ToString("N", CultureInfo.InvariantCulture);
}
