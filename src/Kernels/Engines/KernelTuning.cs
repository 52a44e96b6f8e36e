namespace EgpuFleet.Kernels.Engines;

/// <summary>With which optimisations an engine compiles one of its kernels; both texts are the engine's own words.</summary>
/// <param name="Kernel">Names the computation and its sizes: 64 lower-case hexadecimal digits.</param>
/// <param name="Opts">Such as <c>UPCAST:0:4 UNROLL:0:8</c>; empty: none at all.</param>
public sealed record KernelOpts(string Kernel, string Opts);

/// <summary>What was made of the kernels an engine was given.</summary>
/// <param name="Kernels">Taken.</param>
/// <param name="Refused">Not in the engine's words.</param>
public sealed record TuningsTaken(int Kernels, int Refused);

/// <summary>How far a search for faster kernels has come.</summary>
/// <param name="KernelsDone">Searched to their end.</param>
/// <param name="KernelsTotal">Of the model, as many as one search looks at.</param>
/// <param name="KernelsFaster">Those for which something faster was found.</param>
/// <param name="CandidatesTimed">Compiled and run.</param>
/// <param name="BestSpeedup">The largest gain of a single kernel; 1 without any.</param>
public sealed record TuneProgress(
    int KernelsDone,
    int KernelsTotal,
    int KernelsFaster,
    int CandidatesTimed,
    double BestSpeedup
);

/// <summary>A kernel that is faster with these optimisations than with the engine's own choice, measured in turn.</summary>
/// <param name="Kernel">As in <see cref="KernelOpts"/>.</param>
/// <param name="Opts">As in <see cref="KernelOpts"/>.</param>
/// <param name="SecondsBefore">One run with the engine's own choice.</param>
/// <param name="SecondsAfter">One run with these.</param>
public sealed record KernelFinding(string Kernel, string Opts, double SecondsBefore, double SecondsAfter);

/// <summary>How a search for faster kernels ended.</summary>
/// <param name="Finish">Why.</param>
/// <param name="KernelsDone">Searched to their end.</param>
/// <param name="KernelsTotal">Of the model, as many as one search looks at.</param>
/// <param name="CandidatesTimed">Compiled and run.</param>
/// <param name="Findings">Kernels that became faster, each by more than the noise of its measurement.</param>
public sealed record TuneResult(
    TuneFinish Finish,
    int KernelsDone,
    int KernelsTotal,
    int CandidatesTimed,
    IReadOnlyList<KernelFinding> Findings
);

public enum TuneFinish
{
    /// <summary>Every kernel was searched.</summary>
    Done,

    /// <summary>Its time was over.</summary>
    Deadline,

    /// <summary>It was asked to end, or its model was unloaded.</summary>
    Cancelled,
}

/// <summary>Counters of a worker since its start; a kernel counts once for each captured step that runs it.</summary>
/// <param name="TunedKernels">Compiled with what was found somewhere.</param>
/// <param name="TuningMisses">Compiled as without a table, because there is no entry.</param>
/// <param name="TuningRejected">Entries that did not fit their kernel, or were none.</param>
/// <param name="KernelsSearched">By this worker itself.</param>
/// <param name="CandidatesTimed">By this worker itself.</param>
public sealed record TuningStats(
    long TunedKernels,
    long TuningMisses,
    long TuningRejected,
    long KernelsSearched,
    long CandidatesTimed
);
