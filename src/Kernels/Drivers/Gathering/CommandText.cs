namespace EgpuFleet.Kernels.Drivers.Gathering;

/// <summary>What became of asking a tool.</summary>
public enum CommandOutcome
{
    /// <summary>It ran to its end; the exit status says how.</summary>
    Ran,

    /// <summary>There is no such tool here, which is an answer too.</summary>
    NotThere,

    /// <summary>It did not end within its time; the text is what it had said by then.</summary>
    TimedOut,

    /// <summary>It is there and could not be started.</summary>
    NotStarted,
}

/// <summary>What a tool said.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Text">Its standard output, at most <see cref="Limits.CommandOutputBytes"/> of it; invalid UTF-8 is replaced.</param>
/// <param name="ExitCode">0 unless it ran and failed.</param>
public sealed record CommandText(CommandOutcome Outcome, string Text, int ExitCode)
{
    public static CommandText NotThere { get; } = new(CommandOutcome.NotThere, "", 0);

    /// <summary>It ran and was content.</summary>
    public bool IsGood => Outcome == CommandOutcome.Ran && ExitCode == 0;

    public static CommandText Of(string text, int exitCode = 0) => new(CommandOutcome.Ran, text, exitCode);

    /// <summary>In words, where it was not content.</summary>
    public string Trouble(string tool) =>
        Outcome switch
        {
            CommandOutcome.NotThere => $"{tool} is not there",
            CommandOutcome.TimedOut => $"{tool} did not answer in time",
            CommandOutcome.NotStarted => $"{tool} could not be started",
            _ => $"{tool} ended with status {ExitCode}",
        };
}
