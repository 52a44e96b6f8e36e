using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Jobs;

/// <summary>The JSONL input of a batch as a file that can be read again; the standard input is first written down.</summary>
internal sealed class PromptInput : IDisposable
{
    private readonly string _path;
    private readonly bool _isOurs;

    private PromptInput(string path, bool isOurs) => (_path, _isOurs) = (path, isOurs);

    /// <summary>Null for no input.</summary>
    /// <exception cref="FleetFailure">There is no such file, or the standard input is larger than any gateway takes.</exception>
    public static async Task<PromptInput?> OpenAsync(string? argument, CancellationToken cancellationToken)
    {
        if (argument is null)
            return null;
        if (argument != "-")
        {
            return File.Exists(argument)
                ? new PromptInput(argument, isOurs: false)
                : throw new FleetFailure(
                    $"There is no file {argument}.",
                    "Give the path of a JSONL file, or - for the standard input.",
                    ExitCodes.NotFound
                );
        }
        var spooled = new PromptInput(Path.GetTempFileName(), isOurs: true);
        try
        {
            await spooled.FillAsync(Console.OpenStandardInput(), cancellationToken);
            return spooled;
        }
        catch
        {
            spooled.Dispose();
            throw;
        }
    }

    public Stream OpenRead() => File.OpenRead(_path);

    public void Dispose()
    {
        if (_isOurs)
            File.Delete(_path);
    }

    private async Task FillAsync(Stream input, CancellationToken cancellationToken)
    {
        await using var file = File.OpenWrite(_path);
        var block = new byte[64 * 1024];
        int read;
        while ((read = await input.ReadAsync(block, cancellationToken)) > 0)
        {
            if (file.Position + read > Limits.PromptBytesMax)
                throw new FleetFailure($"The input is larger than {Limits.PromptBytesMax >> 20} MiB.", "Split it.");
            await file.WriteAsync(block.AsMemory(0, read), cancellationToken);
        }
    }
}
