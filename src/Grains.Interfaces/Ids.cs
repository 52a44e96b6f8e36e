using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EgpuFleet.Grains.Interfaces;

/// <summary>A job. Text form <c>job_</c> + 32 hex digits; the value is a version-7 UUID, so ids sort by creation.</summary>
[GenerateSerializer, Immutable, Alias("fleet.JobId")]
public readonly record struct JobId([property: Id(0)] Guid Value)
{
    private const string Prefix = "job_";

    /// <summary>A new id, ordered by <paramref name="now"/>.</summary>
    public static JobId New(DateTimeOffset now) => new(Guid.CreateVersion7(now));

    /// <summary>Reads the text form; false when it is not exactly one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out JobId id)
    {
        id = default;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        if (!Guid.TryParseExact(text.AsSpan(Prefix.Length), "N", out var value))
            return false;
        id = new JobId(value);
        return true;
    }

    public override string ToString() => Prefix + Value.ToString("N", CultureInfo.InvariantCulture);
}

/// <summary>A part of a job that runs on one device: the job, and its number from 0.</summary>
[GenerateSerializer, Immutable, Alias("fleet.ShardId")]
public readonly record struct ShardId([property: Id(0)] JobId Job, [property: Id(1)] int Number)
{
    public override string ToString() => $"{Job}/{Number}";
}

/// <summary>A machine; also the name of its silo. 1-63 of <c>a-z 0-9 -</c>, not starting or ending with a dash.</summary>
[GenerateSerializer, Immutable, Alias("fleet.NodeId")]
public readonly record struct NodeId([property: Id(0)] string Value)
{
    public const int MaxLength = 63;

    public static bool TryParse([NotNullWhen(true)] string? text, out NodeId id)
    {
        id = default;
        if (text is null || text.Length is 0 or > MaxLength || text[0] == '-' || text[^1] == '-')
            return false;
        foreach (var c in text)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
                return false;
        }
        id = new NodeId(text);
        return true;
    }

    public override string ToString() => Value;
}

/// <summary>One GPU or CPU of a node. Text form, and grain key: <c>node/device</c>.</summary>
[GenerateSerializer, Immutable, Alias("fleet.DeviceId")]
public readonly record struct DeviceId([property: Id(0)] NodeId Node, [property: Id(1)] string Name)
{
    public static bool TryParse([NotNullWhen(true)] string? text, out DeviceId id)
    {
        id = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || !NodeId.TryParse(text![..slash], out var node))
            return false;
        // A device name obeys the rule of node names, so that the key has exactly one slash.
        if (!NodeId.TryParse(text[(slash + 1)..], out var name))
            return false;
        id = new DeviceId(node, name.Value);
        return true;
    }

    public override string ToString() => $"{Node}/{Name}";
}

/// <summary>Who owns jobs and quota.</summary>
[GenerateSerializer, Immutable, Alias("fleet.TenantId")]
public readonly record struct TenantId([property: Id(0)] string Value)
{
    /// <summary>The tenant of every request on a loopback gateway without keys.</summary>
    public static readonly TenantId Default = new("default");

    public override string ToString() => Value;
}

/// <summary>A set of nodes under one scheduler; also the key of its grain.</summary>
[GenerateSerializer, Immutable, Alias("fleet.PoolId")]
public readonly record struct PoolId([property: Id(0)] string Value)
{
    public static readonly PoolId Default = new("default");

    public override string ToString() => Value;
}
