using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Jobs;

/// <summary>Writes a job's results as JSONL, streamed; a file appears whole or not at all. <c>-</c> is the standard output.</summary>
internal static class ResultsFile
{
    /// <summary>The number of results.</summary>
    public static async Task<int> WriteAsync(
        FleetClient client,
        string job,
        string path,
        CancellationToken cancellationToken
    )
    {
        if (path == "-")
            return await WriteAsync(client, job, Console.Out, cancellationToken);
        var temporary = $"{path}.{Environment.ProcessId}.part";
        try
        {
            int count;
            await using (var writer = new StreamWriter(temporary))
                count = await WriteAsync(client, job, writer, cancellationToken);
            File.Move(temporary, path, overwrite: true);
            return count;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static async Task<int> WriteAsync(
        FleetClient client,
        string job,
        TextWriter writer,
        CancellationToken cancellationToken
    )
    {
        var count = 0;
        await foreach (var line in client.ReadResultsAsync(job, cancellationToken))
        {
            await writer.WriteLineAsync(JsonSerializer.Serialize(line, ApiJson.Options));
            count++;
        }
        return count;
    }
}
