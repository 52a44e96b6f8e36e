namespace EgpuFleet.TestKit.Fleet.Soak;

/// <summary>What a soak came to; warm-up is its first third.</summary>
/// <param name="Rate">Jobs acknowledged a second.</param>
/// <param name="Slopes">Growth of each process after warm-up, bytes an hour, by least squares.</param>
/// <param name="MaxResident">Largest resident memory of each process.</param>
/// <param name="MaxTables">Largest size of each table.</param>
/// <param name="TableGrowth">Largest total of all tables in the last third over that of the middle third.</param>
public sealed record SoakVerdict(
    double Rate,
    IReadOnlyDictionary<string, double> Slopes,
    IReadOnlyDictionary<string, long> MaxResident,
    IReadOnlyDictionary<string, long> MaxTables,
    double TableGrowth,
    int Errors
)
{
    /// <summary>Growth below this is not told from noise: the runtime's own heap budget moves by as much.</summary>
    public const double FlatBytesPerHour = 64 << 20;

    /// <summary>What vacuum and free space maps account for.</summary>
    public const double BoundedGrowth = 1.15;

    public bool IsFlat => Slopes.Values.All(slope => slope <= FlatBytesPerHour);

    public bool IsBounded => TableGrowth <= BoundedGrowth;

    public bool IsGood => IsFlat && IsBounded && Errors == 0;

    public static SoakVerdict Of(IReadOnlyList<SoakSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var last = samples[^1];
        var warm = samples.Where(sample => sample.At >= last.At / 3).ToList();
        var late = warm.Where(sample => sample.At >= last.At * 2 / 3).Max(Total);
        var middle = warm.Where(sample => sample.At < last.At * 2 / 3).Select(Total).DefaultIfEmpty(late).Max();
        return new SoakVerdict(
            last.Jobs / last.At.TotalSeconds,
            last.ResidentBytes.Keys.ToDictionary(name => name, name => Slope(warm, name), StringComparer.Ordinal),
            Largest(samples, sample => sample.ResidentBytes),
            Largest(samples, sample => sample.TableBytes),
            middle == 0 ? 1 : (double)late / middle,
            last.Errors
        );
    }

    private static long Total(SoakSample sample) => sample.TableBytes.Values.Sum();

    private static double Slope(List<SoakSample> samples, string name)
    {
        var x = samples.Select(sample => sample.At.TotalHours).ToList();
        var y = samples.Select(sample => (double)sample.ResidentBytes.GetValueOrDefault(name)).ToList();
        var (meanX, meanY) = (x.Average(), y.Average());
        var spread = x.Sum(value => (value - meanX) * (value - meanX));
        return spread == 0 ? 0 : x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / spread;
    }

    private static Dictionary<string, long> Largest(
        IEnumerable<SoakSample> samples,
        Func<SoakSample, IReadOnlyDictionary<string, long>> of
    ) =>
        samples
            .SelectMany(of)
            .GroupBy(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.Max(), StringComparer.Ordinal);
}
