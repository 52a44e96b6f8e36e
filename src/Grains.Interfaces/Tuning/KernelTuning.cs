namespace EgpuFleet.Grains.Interfaces.Tuning;

/// <summary>Devices that run the same code equally well: what is faster on one of them is faster on all.</summary>
/// <param name="Device">As their workers report it: architecture, renderer, and what else changes a kernel's code.</param>
/// <param name="EngineVersion">Names of kernels are a version's own.</param>
[GenerateSerializer, Immutable, Alias("fleet.TuningClass")]
public sealed record TuningClass([property: Id(0)] string Device, [property: Id(1)] string EngineVersion)
{
    private const char Separator = '\n';

    /// <summary>The class of a grain key; null where it is none.</summary>
    public static TuningClass? OfKey(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return key.Split(Separator) is [{ Length: > 0 } device, { Length: > 0 } version]
            ? new TuningClass(device, version)
            : null;
    }

    /// <summary>Key of its grain.</summary>
    public string Key => $"{Device}{Separator}{EngineVersion}";
}

/// <summary>A kernel and the optimisations with which it was measured to be faster, in the engine's words.</summary>
/// <param name="Kernel">64 lower-case hexadecimal digits.</param>
/// <param name="Opts">Empty: none at all.</param>
/// <param name="SecondsBefore">One run as the engine compiles it by itself.</param>
/// <param name="SecondsAfter">One run with these.</param>
[GenerateSerializer, Immutable, Alias("fleet.KernelTuning")]
public sealed record KernelTuning(
    [property: Id(0)] string Kernel,
    [property: Id(1)] string Opts,
    [property: Id(2)] double SecondsBefore,
    [property: Id(3)] double SecondsAfter
);

/// <summary>All that is known of a class.</summary>
/// <param name="Revision">Grows with every change; 0 where nothing is known.</param>
[GenerateSerializer, Immutable, Alias("fleet.TuningTable")]
public sealed record TuningTable(
    [property: Id(0)] long Revision,
    [property: Id(1)] IReadOnlyList<KernelTuning> Kernels
);

/// <summary>What one search has found.</summary>
/// <param name="Job">The job it was made for.</param>
/// <param name="Node">Where it was measured.</param>
[GenerateSerializer, Immutable, Alias("fleet.TuningReport")]
public sealed record TuningReport(
    [property: Id(0)] JobId Job,
    [property: Id(1)] NodeId Node,
    [property: Id(2)] IReadOnlyList<KernelTuning> Kernels
);

/// <summary>What became of a report.</summary>
/// <param name="Taken">Kernels that are known now by this report, or were known to be faster still.</param>
/// <param name="Refused">Those that no search writes, and those beyond what a report may hold.</param>
[GenerateSerializer, Immutable, Alias("fleet.TuningReply")]
public sealed record TuningReply([property: Id(0)] int Taken, [property: Id(1)] int Refused);

/// <summary>The tuned kernels of a class. Key: <see cref="TuningClass.Key"/>.</summary>
[Alias("fleet.ITuning")]
public interface ITuningGrain : IGrainWithStringKey
{
    /// <summary>All that is known; null where that is still what the caller has.</summary>
    /// <param name="known">Revision of the caller's table; -1: it has none.</param>
    [Alias("Get")]
    Task<TuningTable?> Get(long known);

    /// <summary>Keeps what is new or faster. The same report again changes nothing.</summary>
    [Alias("Put")]
    Task<TuningReply> Put(TuningReport report);
}
