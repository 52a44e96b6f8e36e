using System.Globalization;

namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>
/// An agent's interpreter that notes how much memory tinygrad has had at most (<c>python_with_gauge.py</c>); all else is the
/// machine's own Python.
/// </summary>
public sealed class MemoryGauge : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("efgauge").FullName;

    public MemoryGauge()
    {
        var script = RepositoryPaths.At("tests", "TestKit.Fleet", "Training", "python_with_gauge.py");
        // Asked for its version it is any Python; the worker's child is started with -P.
        File.WriteAllText(
            Interpreter,
            $"""
            #!/bin/sh
            for python in python3 /usr/bin/python3 /opt/homebrew/bin/python3; do
              "$python" -c 'import sys, numpy; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
            done
            [ "$1" = -P ] && set -- -P '{script}' '{Notes}' "$@"
            exec "$python" "$@"

            """
        );
        File.SetUnixFileMode(Interpreter, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What an agent must be told to drive its processor with tinygrad under the gauge.</summary>
    public IReadOnlyDictionary<string, string> AgentEnvironment =>
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["EGPUFLEET_CPU_ENGINE"] = "tinygrad",
            ["EGPUFLEET_PYTHON"] = Interpreter,
        };

    private string Interpreter => Path.Combine(folder, "python");

    private string Notes => Path.Combine(folder, "peaks");

    /// <summary>Most bytes that one process has had in buffers of its device, of all processes so far.</summary>
    public long PeakBytes() =>
        // Who was killed may have left half a line; its end is lost, so that what is left says less.
        File.ReadLines(Notes)
            .Select(line => long.TryParse(line, CultureInfo.InvariantCulture, out var bytes) ? bytes : 0)
            .Max();

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
