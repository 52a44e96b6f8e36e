using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet node rehearse NODE</c>: plays a pulled cable and says how the fleet came through it.</summary>
internal static class NodeVerb
{
    private static readonly Argument<string> Node = new("NODE") { Description = "As ./fleet nodes prints it" };

    private static readonly Option<string?> Device = new("--device")
    {
        Description = "Which of its devices (default: one that works, else one that is ready)",
        HelpName = "NAME",
    };

    private static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "How long the device is gone, 1 to 120",
        DefaultValueFactory = _ => 5,
    };

    private static readonly Option<bool> Force = new("--force")
    {
        Description = "Also where no other device of the fleet is ready",
    };

    public static Command Create()
    {
        var rehearse = new Command("rehearse", "Play a pulled cable on a device, and report how its work came through")
        {
            Node,
            Device,
            Seconds,
            Force,
        };
        rehearse.SetAction(RehearseAsync);
        return new Command("node", "Do something with one machine of the fleet")
        {
            rehearse.WithExamples(
                "./fleet node rehearse mini",
                "./fleet node rehearse mini --device egpu0 --seconds 10"
            ),
        }.WithExamples("./fleet node rehearse mini");
    }

    private static async Task<int> RehearseAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var (client, console, clock) = (invocation.Client, invocation.Console, invocation.Clock);
        var seconds = parsed.GetValue(Seconds);
        var before = await ChooseAsync(client, parsed, cancellationToken);
        var watch = new RehearsalWatch(before, seconds);
        var started = clock.GetTimestamp();
        await client.RehearseAsync(before.Id, new RehearsalRequest(seconds, parsed.GetValue(Force)), cancellationToken);
        console.Line($"The cable of {before.Id} is pulled, as far as the fleet can tell, for {seconds:0.#} s.");
        while (!watch.IsOver && clock.GetElapsedTime(started) < TimeSpan.FromSeconds(seconds) + Limits.RecoveryTimeout)
        {
            await Task.Delay(Limits.LookInterval, clock, cancellationToken);
            var devices = await client.ListDevicesAsync(cancellationToken);
            var elapsed = clock.GetElapsedTime(started);
            foreach (var news in watch.See(devices.Data, Math.Round(elapsed.TotalSeconds, 2)))
                console.Line($"  after {Format.Seconds(elapsed)}  {news}");
            // What ran there may have ended elsewhere between two looks; nobody waits for that.
            if (watch.IsBack && elapsed > TimeSpan.FromSeconds(seconds) + Limits.ResumeTimeout)
                break;
        }
        console.Show(watch.Report, report => Print(console, report));
        return watch.IsBack ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<DeviceInfo> ChooseAsync(
        FleetClient client,
        ParseResult parsed,
        CancellationToken cancellationToken
    )
    {
        var node = parsed.GetRequiredValue(Node);
        if (parsed.GetValue(Device) is { } name)
            return await client.GetDeviceAsync($"{node}/{name}", cancellationToken);
        var devices = await client.ListDevicesAsync(cancellationToken);
        return devices
                .Data.Where(device => device.Node == node && device.State == "ready")
                .OrderByDescending(device => device.RunningShards.Count)
                .FirstOrDefault()
            ?? throw new FleetFailure(
                $"No device of {node} is ready.",
                "See ./fleet nodes and ./fleet devices.",
                ExitCodes.NotFound
            );
    }

    private static void Print(FleetConsole console, RehearsalReport report)
    {
        if (report.Shards.Count == 0)
            console.Line("Nothing ran there: only the device's own return was rehearsed.");
        foreach (var shard in report.Shards.Where(shard => shard.On is null))
            console.Line(
                $"Where shard {shard.Shard} of {shard.Job} went on was not seen; see ./fleet logs {shard.Job}."
            );
        if (report.BackAfterSeconds is null)
            console.Line($"{report.Device} is not back. See ./fleet doctor {report.Device.Split('/')[0]}.");
    }
}
