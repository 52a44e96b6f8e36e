namespace EgpuFleet.Benchmarks.Load;

/// <summary>What a load process does.</summary>
internal enum LoadMode
{
    /// <summary>Submits for a time.</summary>
    Submit,

    /// <summary>Submits a number of jobs.</summary>
    Fill,

    /// <summary>Submits one job at a time and waits for each.</summary>
    Dispatch,
}

/// <summary>One task of the load process.</summary>
/// <param name="Clients">Connections, each of which sends again as soon as it has its answer.</param>
/// <param name="JobsPerCall">1: a submit each; more: bulk submits of so many lines.</param>
/// <param name="WarmupSeconds">Sent, not counted; for <see cref="LoadMode.Submit"/>.</param>
/// <param name="Seconds">Counted; for <see cref="LoadMode.Submit"/>.</param>
/// <param name="Jobs">How many; for <see cref="LoadMode.Fill"/> and <see cref="LoadMode.Dispatch"/>.</param>
/// <param name="PauseMilliseconds">Quiet time after each job; for <see cref="LoadMode.Dispatch"/>.</param>
internal sealed record LoadSpec(
    LoadMode Mode,
    Uri Gateway,
    int Clients,
    int JobsPerCall = 1,
    double WarmupSeconds = 0,
    double Seconds = 0,
    int Jobs = 0,
    int PauseMilliseconds = 0
);

/// <summary>What a load process reports.</summary>
/// <param name="Jobs">Acknowledged in the counted time.</param>
/// <param name="JobsPerSecond">Acknowledged per second of it.</param>
/// <param name="P50Milliseconds">Of a call, or of a dispatch.</param>
/// <param name="ProcessorShare">Processors that the load process itself kept busy.</param>
/// <param name="FirstSentAt">Wall clock, just before the first request.</param>
internal sealed record LoadResult(
    int Jobs,
    double JobsPerSecond,
    double P50Milliseconds,
    double P99Milliseconds,
    double ProcessorShare,
    DateTimeOffset FirstSentAt
);
