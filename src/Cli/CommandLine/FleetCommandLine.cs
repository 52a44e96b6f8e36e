using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using EgpuFleet.Cli.Verbs;

namespace EgpuFleet.Cli.CommandLine;

/// <summary>The command line as a whole: its verbs, its help, and how it ends.</summary>
internal static class FleetCommandLine
{
    /// <summary>Parses and runs; returns the exit code.</summary>
    public static async Task<int> RunAsync(string[] args, CancellationToken cancellationToken)
    {
        var root = Create();
        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            // An unknown verb is also a missing one; only the first says what is wrong.
            await Console.Error.WriteLineAsync(Plain(parsed.Errors[^1].Message));
            var verb = parsed.CommandResult.Command == root ? "" : parsed.CommandResult.Command.Name + " ";
            await Console.Error.WriteLineAsync($"See ./fleet {verb}--help");
            return ExitCodes.Usage;
        }
        // Ctrl-C, a polite kill and a closed terminal all mean: stop what you do, in order.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        var configuration = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        return await Failures.GuardAsync(() => parsed.InvokeAsync(configuration, stop.Token), parsed, stop.Token);
    }

    public static Command Create()
    {
        // A plain command, because the name of a RootCommand is that of the executable, which nobody types.
        var help = new HelpOption();
        help.Action = new ExamplesHelp(new HelpAction());
        return new Command("fleet", "EgpuFleet: one GPU service out of the Macs you own.")
        {
            help,
            new VersionOption(),
            CommonOptions.Data,
            CommonOptions.Url,
            CommonOptions.Json,
            UpVerb.Create(),
            DownVerb.Create(),
            DemoVerb.Create(),
            TestVerb.Create(),
            BenchVerb.Create(),
            SubmitVerb.Create(),
            TuneVerb.Create(),
            JobsVerb.Create(),
            JobVerb.Create(),
            JobVerb.CreateCancel(),
            LogsVerb.Create(),
            FleetVerbs.CreateNodes(),
            FleetVerbs.CreateDevices(),
            NodeVerb.Create(),
            DeviceVerbs.Create(),
            ModelsVerb.Create(),
            FilesVerb.Create(),
            FinetuneVerb.Create(),
            CheckpointsVerb.Create(),
            EngineVerb.Create(),
            DoctorVerb.Create(),
            HardwareCheckVerb.Create(),
        };
    }

    private static string Plain(string message) =>
        message
            .Replace(" as expected type 'System.Int32'", " as a whole number", StringComparison.Ordinal)
            .Replace(" as expected type 'System.Double'", " as a number", StringComparison.Ordinal);
}
