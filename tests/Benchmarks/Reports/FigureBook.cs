using EgpuFleet.Benchmarks.Statistics;

namespace EgpuFleet.Benchmarks.Reports;

/// <summary>What was measured so far, by name, in the order first measured. A peer's figures are <c>peer.figure</c>.</summary>
internal sealed class FigureBook
{
    private readonly List<string> _names = [];
    private readonly Dictionary<string, List<double>> _values = [];

    public IEnumerable<Series> All => _names.Select(name => new Series(name, _values[name]));

    public void Add(string name, double value)
    {
        if (!double.IsFinite(value))
            throw new ArgumentException($"{name} is {value}.", nameof(value));
        if (!_values.TryGetValue(name, out var values))
        {
            _names.Add(name);
            _values.Add(name, values = []);
        }
        values.Add(value);
    }

    /// <summary>Null where it was not measured.</summary>
    public Series? Find(string name) => _values.TryGetValue(name, out var values) ? new Series(name, values) : null;
}
