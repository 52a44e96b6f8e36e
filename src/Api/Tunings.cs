namespace EgpuFleet.Api;

/// <summary>The text of the one result of a tune, as JSON.</summary>
/// <param name="Finish">done: every kernel was searched; deadline: its time was over.</param>
/// <param name="DeviceClass">Devices to which the findings are handed.</param>
/// <param name="KernelsTotal">Of the model, as many as one search looks at.</param>
/// <param name="KernelsSearched">Those of them searched to their end.</param>
/// <param name="KernelsFaster">Those that became faster, by more than the noise of their measurement.</param>
/// <param name="CandidatesTimed">Compiled and run.</param>
/// <param name="Gain">One run of each faster kernel before, over the same after; 1 without any.</param>
/// <param name="Kernels">The faster ones, by what they saved.</param>
public sealed record TuneSummary(
    string Finish,
    string DeviceClass,
    int KernelsTotal,
    int KernelsSearched,
    int KernelsFaster,
    int CandidatesTimed,
    double Gain,
    IReadOnlyList<TunedKernelInfo> Kernels
);

/// <summary>A kernel that became faster.</summary>
/// <param name="Kernel">Names the computation and its sizes: 64 hexadecimal digits.</param>
/// <param name="Opts">In the engine's words.</param>
public sealed record TunedKernelInfo(string Kernel, string Opts, double SecondsBefore, double SecondsAfter);

/// <summary>One line of <c>GET /api/v1/tunings</c>: what is known for the devices of a class.</summary>
/// <param name="DeviceClass">As their workers report it.</param>
/// <param name="EngineVersion">Kernels are a version's own.</param>
/// <param name="Kernels">Tuned ones, handed to every worker of the class before it loads a model.</param>
/// <param name="BestSpeedup">The largest gain of a single kernel.</param>
/// <param name="At">When the last one was found.</param>
public sealed record TuningInfo(
    string DeviceClass,
    string EngineVersion,
    int Kernels,
    double BestSpeedup,
    DateTimeOffset At
);
