using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Jobs;

/// <summary>A job and where its shards ran, as <c>job ID --json</c> prints it.</summary>
internal sealed record JobReport(JobInfo Job, IReadOnlyList<DeviceShards> Devices)
{
    /// <summary>The job as it is now, with the shards of its whole log.</summary>
    public static async Task<JobReport> ReadAsync(FleetClient client, string id, CancellationToken cancellationToken)
    {
        var job = await client.GetJobAsync(id, cancellationToken);
        var devices = new DeviceProgress();
        await foreach (var line in JobLog.ReadAsync(client, id, cancellationToken))
            devices.See(line);
        return new JobReport(job, devices.Devices);
    }

    public void Print(FleetConsole console)
    {
        console.Line($"Job       {Job.Id}");
        console.Line($"State     {Job.State}");
        if (Job.Reason is { } reason)
        {
            console.Line($"Waits     {reason.Message} ({reason.Code})");
            if (reason.Action is not null)
                console.Line($"To do     {reason.Action}");
        }
        if (Job.End is { } end)
            console.Line($"Failure   {end.Message} ({end.Code})");
        console.Line($"Kind      {Job.Kind}{(Job.Model is null ? "" : $" of {Job.Model}")}, priority {Job.Priority}");
        console.Line($"Items     {Job.Items.Completed} of {Job.Items.Total} answered, {Job.Items.Failed} failed");
        console.Line($"Created   {Format.Time(Job.CreatedAt)}");
        console.Line($"Started   {Format.Time(Job.StartedAt)}");
        console.Line($"Finished  {Format.Time(Job.FinishedAt)}");
        if (Devices.Count == 0)
            return;
        console.Line();
        PrintDevices(console, Devices);
    }

    public static void PrintDevices(FleetConsole console, IReadOnlyList<DeviceShards> devices) =>
        console.Table(
            ["DEVICE", "SHARDS DONE", "RUNNING", "PROMPTS DONE"],
            devices.Select(device =>
                (IReadOnlyList<string>)
                    [device.Device, device.Finished.ToString(), device.Running.ToString(), device.Items.ToString()]
            )
        );
}
