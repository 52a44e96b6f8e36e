using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;
using Spectre.Console;

namespace EgpuFleet.Cli.Verbs;

/// <summary>Streams a model file to the gateway, with a progress bar where a person watches.</summary>
internal static class ModelUpload
{
    public static async Task<ModelInfo> SendAsync(
        FleetClient client,
        FleetConsole console,
        string name,
        FileInfo file,
        CancellationToken cancellationToken
    )
    {
        await using var content = file.OpenRead();
        if (!console.IsInteractive)
            return await client.AddModelAsync(name, content, cancellationToken);
        return await AnsiConsole
            .Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new DownloadedColumn(),
                new TransferSpeedColumn()
            )
            .StartAsync(async progress =>
            {
                var task = progress.AddTask(Markup.Escape($"uploading {name}"), maxValue: Math.Max(1, file.Length));
                await using var counted = new CountedStream(content, bytes => task.Increment(bytes));
                return await client.AddModelAsync(name, counted, cancellationToken);
            });
    }
}
