namespace EgpuFleet.Benchmarks.Engine;

/// <summary>How long some sequences took that were generated together.</summary>
/// <param name="FirstSeconds">From the request to the first token of any.</param>
/// <param name="RestSeconds">From then to the last token of all.</param>
internal sealed record Generated(double FirstSeconds, double RestSeconds)
{
    /// <summary>Tokens a second of so many sequences, the first of each not counted.</summary>
    public double TokensPerSecond(int sequences) => sequences * (EngineSizes.Tokens - 1) / RestSeconds;
}
