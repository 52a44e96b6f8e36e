using System.CommandLine;
using System.Globalization;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet device bench [NODE/DEVICE]</c>: has a device measured, says how far that is, shows what came out.</summary>
internal static class DeviceBenchVerb
{
    private const string Running = "running";
    private const double Giga = 1e9;

    private static readonly Argument<string?> Id = new("NODE/DEVICE")
    {
        Description = "As ./fleet devices prints it; may be left out where there is only one",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        var command = new Command("bench", "Measure a device that has nothing to do: memory, prompts, tokens") { Id };
        command.SetAction(RunAsync);
        return command.WithExamples("./fleet device bench", "./fleet device bench mini/egpu0 --json");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var id = parsed.GetValue(Id) is { } named
            ? DeviceVerbs.Checked(named)
            : await OnlyOneAsync(invocation.Client, cancellationToken);
        var device = await invocation.Client.OrderDeviceAsync(id, "bench", cancellationToken);
        device = await WatchAsync(invocation, device, cancellationToken);
        invocation.Console.Show(device, shown => Print(invocation.Console, shown));
        return device.Bench is { State: "done" } ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<string> OnlyOneAsync(FleetClient client, CancellationToken cancellationToken)
    {
        var devices = (await client.ListDevicesAsync(cancellationToken)).Data;
        return devices.Count == 1
            ? devices[0].Id
            : throw new FleetFailure(
                $"The fleet has {devices.Count} devices: say which one.",
                $"One of: {string.Join(", ", devices.Select(device => device.Id))}",
                ExitCodes.Usage
            );
    }

    /// <summary>The device at the end of the measurement that it has just begun.</summary>
    /// <exception cref="FleetFailure">The device is gone, or its agent started anew and knows of no measurement.</exception>
    private static async Task<DeviceInfo> WatchAsync(
        Invocation invocation,
        DeviceInfo device,
        CancellationToken cancellationToken
    )
    {
        var begun = device.Bench;
        var said = "";
        var lastSeen = invocation.Clock.GetTimestamp();
        // What the pool knows is a heartbeat old: at first perhaps that of an earlier measurement.
        while (device.Bench is not { } bench || bench.StartedAt != begun?.StartedAt || bench.State == Running)
        {
            if (device.Bench is { State: Running } now && device.State == "ready")
            {
                lastSeen = invocation.Clock.GetTimestamp();
                var line = $"{device.Id}: {now.Measured} of {now.Total} shapes measured; now {now.Now}";
                if (line != said)
                    invocation.Console.Line(line);
                said = line;
            }
            else if (invocation.Clock.GetElapsedTime(lastSeen) > Limits.BenchSilence)
            {
                throw new FleetFailure(
                    $"{device.Id} is {device.State} and tells nothing of its measurement.",
                    "Look at it with ./fleet devices."
                );
            }
            await Task.Delay(Limits.BenchInterval, invocation.Clock, cancellationToken);
            device = await invocation.Client.GetDeviceAsync(device.Id, cancellationToken);
        }
        return device;
    }

    private static void Print(FleetConsole console, DeviceInfo device)
    {
        var bench = device.Bench!;
        console.Line();
        console.Table(
            ["WEIGHTS", "HIDDEN", "BLOCKS", "PREFILL TOK/S", "DECODE TOK/S", "EIGHT TOGETHER TOK/S"],
            bench.Shapes.Select(shape =>
                (IReadOnlyList<string>)
                    [
                        shape.Weights,
                        Number(shape.Hidden),
                        Number(shape.Blocks),
                        Number(shape.Prefill),
                        Number(shape.Decode),
                        Number(shape.DecodeOfEight),
                    ]
            )
        );
        console.Line();
        console.Table(
            ["WEIGHTS", "MEMORY GB/S", "GEMM GFLOPS", "GAIN OF EIGHT"],
            (device.Speeds ?? []).Select(speed =>
                (IReadOnlyList<string>)
                    [
                        speed.Weights,
                        speed.BytesPerSecond is { } bytes ? Number(bytes / Giga) : "-",
                        speed.FlopsPerSecond is { } flops ? Number(flops / Giga) : "-",
                        Number(speed.BatchGain),
                    ]
            )
        );
        foreach (var skipped in bench.Skipped)
            console.Line($"Not measured: {skipped}");
        if (bench.State != "done")
            console.Line(
                $"Interrupted: {bench.Now} Kinds of weights that were not finished keep their earlier figures."
            );
    }

    private static string Number(double value) =>
        value.ToString(value < 100 ? "0.0#" : "#,0", CultureInfo.InvariantCulture);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
