using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Cli.Engines;

/// <summary>The Python of this machine that an environment is made from.</summary>
internal static class BasePython
{
    /// <summary>Pure: the interpreter's path.</summary>
    /// <param name="trial">The one that comes nearest to what the engine needs.</param>
    /// <param name="needsNumpy">Whether the environment takes numpy from it.</param>
    /// <exception cref="FleetFailure">It will not do; says what to install.</exception>
    public static string Require(PythonTrial trial, bool needsNumpy, bool isMac)
    {
        var (path, version) = (trial.Path, trial.Version);
        if (path is null || version is null || version < TinygradPython.Oldest)
        {
            var seen = path is null || version is null ? "none of them runs" : $"{path} is {version}";
            throw new FleetFailure(
                $"There is no Python {TinygradPython.Oldest} or newer ({string.Join(", ", TinygradPython.Candidates)}: {seen}).",
                (isMac ? "brew install python@3.12" : "sudo apt-get install python3 python3-venv")
                    + $", or name an interpreter by {TinygradPython.Variable}."
            );
        }
        if (needsNumpy && !trial.NumpyText.IsGood)
        {
            throw new FleetFailure(
                $"{path} has no numpy, and with --from it is taken from there.",
                isMac ? $"{path} -m pip install numpy" : "sudo apt-get install python3-numpy"
            );
        }
        return path;
    }
}
