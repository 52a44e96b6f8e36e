using System.Globalization;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>The main program of every worker executable; only the engine differs.</summary>
public static class WorkerProgram
{
    private const int ExitOk = 0;
    private const int ExitFailed = 1;
    private const int ExitUsage = 2;

    /// <summary>Reads <see cref="WorkerLaunch"/>'s options and serves until told to end. Returns the exit code.</summary>
    /// <param name="broken">Fires when the engine can do no more: the program ends and says that it failed.</param>
    public static async Task<int> RunAsync(
        string[] args,
        IKernelEngine engine,
        ILoggerFactory loggers,
        CancellationToken broken = default
    )
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(engine);
        if (Parse(args) is not { } options)
        {
            await Console.Error.WriteLineAsync(
                $"Usage: {WorkerLaunch.SocketOption} PATH [{WorkerLaunch.KeepSecondsOption} SECONDS], "
                    + $"with the credential in {WorkerLaunch.CredentialVariable}. Agents start workers; people need not."
            );
            return ExitUsage;
        }
        using var telemetry = WorkerTelemetry.Export(engine.Identity);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(broken);
        using var terminate = OnSignal(PosixSignal.SIGTERM, ending);
        // Ctrl-C in the terminal of the agent reaches its whole group; the agent ends its workers in order.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        await using var host = new WorkerHost(engine, options, TimeProvider.System, loggers.CreateLogger<WorkerHost>());
        try
        {
            await host.RunAsync(ending.Token);
            return broken.IsCancellationRequested ? ExitFailed : ExitOk;
        }
        catch (EngineException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitFailed;
        }
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource ending) =>
        PosixSignalRegistration.Create(
            signal,
            context =>
            {
                context.Cancel = true;
                ending.Cancel();
            }
        );

    private static WorkerHostOptions? Parse(string[] args)
    {
        string? socketPath = null;
        var keepFor = Limits.KeepFor;
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == WorkerLaunch.SocketOption)
                socketPath = args[i + 1];
            else if (
                args[i] == WorkerLaunch.KeepSecondsOption
                && double.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var seconds)
                && seconds is > 0 and < int.MaxValue
            )
                keepFor = TimeSpan.FromSeconds(seconds);
            else
                return null;
        }
        var credential = Environment.GetEnvironmentVariable(WorkerLaunch.CredentialVariable);
        return args.Length % 2 != 0 || socketPath is null || string.IsNullOrEmpty(credential)
            ? null
            : new WorkerHostOptions(socketPath, credential, keepFor, NoopFaults());
    }

    private static bool NoopFaults() =>
        string.Equals(
            Environment.GetEnvironmentVariable(WorkerLaunch.NoopFaultsVariable),
            "1",
            StringComparison.Ordinal
        );
}
