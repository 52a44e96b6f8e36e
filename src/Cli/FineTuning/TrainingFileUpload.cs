using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>Files of training data on their way into a job: paths are uploaded, ids are taken as they are.</summary>
internal sealed class TrainingFileUpload(FleetClient client)
{
    private const string Purpose = "fine-tune";
    private const string IdPrefix = "file-";

    private readonly List<string> uploaded = [];

    /// <summary>The id of the file.</summary>
    /// <param name="named">A path, or the id of a file that is there already.</param>
    /// <exception cref="FleetFailure">There is no such file.</exception>
    public async Task<string> ProvideAsync(string named, CancellationToken cancellationToken)
    {
        if (!File.Exists(named))
        {
            return named.StartsWith(IdPrefix, StringComparison.Ordinal)
                ? named
                : throw new FleetFailure(
                    $"There is no file {named}.",
                    "Give the path of a JSONL file, or the id of one that ./fleet files ls shows.",
                    ExitCodes.NotFound
                );
        }
        await using var content = File.OpenRead(named);
        var file = await client.UploadFileAsync(content, Path.GetFileName(named), Purpose, cancellationToken);
        uploaded.Add(file.Id);
        return file.Id;
    }

    /// <summary>Deletes what this uploaded: nothing was made of it.</summary>
    public async Task TakeBackAsync(CancellationToken cancellationToken)
    {
        foreach (var id in uploaded)
            await client.DeleteFileAsync(id, cancellationToken);
        uploaded.Clear();
    }
}
