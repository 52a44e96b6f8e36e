using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Drivers.Gathering;

/// <summary>
/// Which Python the tinygrad engine runs in: the one that is named, else the first of the usual ones that is new enough and has
/// numpy. The engine and the doctor ask the same question, so that the doctor speaks of the interpreter that will be used.
/// </summary>
public static class TinygradPython
{
    /// <inheritdoc cref="TinygradSettings.PythonVariable"/>
    public const string Variable = TinygradSettings.PythonVariable;

    /// <summary>Oldest Python of the engine.</summary>
    public static readonly Version Oldest = new(3, 11);

    private const string NumpyVersion = "import numpy; print(numpy.__version__)";

    private static readonly string? Named = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
        ? named
        : null;

    /// <summary>The interpreters that are asked, in order.</summary>
    public static IReadOnlyList<string> Candidates { get; } =
        Named is not null ? [Named] : ["python3", "/usr/bin/python3", "/opt/homebrew/bin/python3"];

    /// <summary>The first that fits; where none does the one that is nearest to it, to speak of.</summary>
    /// <param name="installed">That of an environment made for the engine: asked instead, unless one is named; null: there is none.</param>
    public static async Task<PythonTrial> FindAsync(
        HostCommand commands,
        CancellationToken cancellationToken,
        string? installed = null
    )
    {
        PythonTrial? nearest = null;
        foreach (var python in installed is not null && Named is null ? [installed] : Candidates)
        {
            var version = await commands.RunAsync(python, ["--version"], Limits.PythonProbeTimeout, cancellationToken);
            var numpy = version.IsGood
                ? await commands.RunAsync(python, ["-c", NumpyVersion], Limits.PythonProbeTimeout, cancellationToken)
                : CommandText.NotThere;
            var trial = new PythonTrial(HostCommand.Find(python), version, numpy);
            if (trial.Fits)
                return trial;
            if (nearest is null || trial.Nearness > nearest.Nearness)
                nearest = trial;
        }
        return nearest!;
    }
}

/// <summary>One interpreter that was asked.</summary>
/// <param name="Path">Absolute; null where there is none.</param>
/// <param name="VersionText">Of <c>--version</c>.</param>
/// <param name="NumpyText">Of an import of numpy, which prints its version.</param>
public sealed record PythonTrial(string? Path, CommandText VersionText, CommandText NumpyText)
{
    /// <summary><c>Python 3.11.2</c>; null where it said nothing of the kind.</summary>
    public Version? Version => VersionOf(VersionText);

    /// <summary>Whether the engine can run in it.</summary>
    public bool Fits => Version >= TinygradPython.Oldest && NumpyText.IsGood;

    /// <summary>How much of it is there: an interpreter, a new one, numpy.</summary>
    public int Nearness =>
        Version is null ? 0 : 1 + (Version >= TinygradPython.Oldest ? 2 : 0) + (NumpyText.IsGood ? 1 : 0);

    public static Version? VersionOf(CommandText text)
    {
        var words = text.IsGood ? text.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) : [];
        return words is ["Python", var number, ..] && System.Version.TryParse(number.TrimEnd('+'), out var version)
            ? version
            : null;
    }
}
