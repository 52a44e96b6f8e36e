namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>Findings of one file: all are counted, the first of each kind are kept.</summary>
/// <param name="listed">How many errors, and how many warnings, are kept.</param>
public sealed class TrainingFindings(int listed = Limits.TrainingFindings)
{
    private readonly List<TrainingFinding> errors = [];
    private readonly List<TrainingFinding> warnings = [];

    /// <summary>The first errors, then the first warnings, each in the order of the file.</summary>
    public IReadOnlyList<TrainingFinding> Listed => [.. errors, .. warnings];

    /// <summary>All errors, listed or not; none means that the file can be trained on.</summary>
    public int Errors { get; private set; }

    /// <summary>All warnings, listed or not.</summary>
    public int Warnings { get; private set; }

    /// <summary>Whether so many lines are wrong that reading on tells nothing new.</summary>
    public bool IsHopeless => Errors >= Limits.TrainingErrorsRead;

    internal void Error(int line, string code, string message, string suggestion)
    {
        Errors++;
        if (errors.Count < listed)
            errors.Add(new TrainingFinding(line, code, message, suggestion, IsError: true));
    }

    internal void Warning(int line, string code, string message, string suggestion)
    {
        Warnings++;
        if (warnings.Count < listed)
            warnings.Add(new TrainingFinding(line, code, message, suggestion, IsError: false));
    }
}
