namespace EgpuFleet.Silo.Hosting;

/// <summary>What the command line asks for.</summary>
public enum SiloVerb
{
    Run = 0,

    /// <summary>Stops a Postgres that a killed silo left behind.</summary>
    StopPostgres = 1,
}

/// <summary>The command line: a verb and <c>--name value</c> flags, nothing else.</summary>
public sealed record SiloCommand(SiloVerb Verb, IReadOnlyDictionary<string, string?> Flags)
{
    private const string Usage =
        "usage: EgpuFleet.Silo [stop-postgres] --data DIR [--port N] [--name NAME] [--postgres CONNECTION] "
        + "[--expect-agents NODE,NODE...]";

    private static readonly string[] Known = ["data", "port", "name", "postgres", "expect-agents"];

    /// <exception cref="StartupException">Not such a command line.</exception>
    public static SiloCommand Parse(IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        var verb = args.Count > 0 && args[0] == "stop-postgres" ? SiloVerb.StopPostgres : SiloVerb.Run;
        var flags = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        for (var i = verb == SiloVerb.Run ? 0 : 1; i < args.Count; i += 2)
        {
            var name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..] : string.Empty;
            if (!Known.Contains(name, StringComparer.Ordinal))
                throw new StartupException($"'{args[i]}' is not an option. {Usage}", ExitCodes.Usage);
            if (i + 1 == args.Count)
                throw new StartupException($"{args[i]} needs a value. {Usage}", ExitCodes.Usage);
            flags[name.Replace('-', '_')] = args[i + 1];
        }
        return new SiloCommand(verb, flags);
    }
}
