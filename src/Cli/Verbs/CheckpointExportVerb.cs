using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet checkpoints export CHECKPOINT --format peft --to DIR</c>.</summary>
internal static class CheckpointExportVerb
{
    /// <summary>The whole state, as a run goes on from it: CHECKPOINT.safetensors.</summary>
    private const string State = "state";

    private static readonly Argument<string> Id = new("CHECKPOINT") { Description = "Id of a checkpoint: ckpt_…" };

    private static readonly Option<string> Form = new Option<string>("--format")
    {
        Description = "state (all of it), or what was learnt: peft (Hugging Face), mlx (mlx-lm) or gguf (llama.cpp)",
        DefaultValueFactory = _ => State,
        HelpName = "NAME",
    }.AcceptOnlyFromAmong([State, .. CheckpointExports.Files.Keys]);

    private static readonly Option<DirectoryInfo> Folder = new("--to")
    {
        Description = "Folder that the files go to; made where it is missing",
        DefaultValueFactory = _ => new DirectoryInfo("."),
        HelpName = "DIR",
    };

    public static Command Create()
    {
        var export = new Command("export", "Save a checkpoint to files, for keeping or for other tools")
        {
            Id,
            Form,
            Folder,
        };
        export.SetAction(ExportAsync);
        return export.WithExamples("./fleet checkpoints export CHECKPOINT --format mlx --to adapters");
    }

    private static async Task<int> ExportAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var (id, format) = (parsed.GetRequiredValue(Id), parsed.GetRequiredValue(Form));
        var folder = parsed.GetRequiredValue(Folder);
        folder.Create();
        var written = new List<string>();
        foreach (var name in FilesOf(id, format))
        {
            var path = Path.Combine(folder.FullName, name);
            await SaveAsync(invocation.Client, (id, format, name), path, cancellationToken);
            written.Add(path);
        }
        invocation.Console.Show(
            written,
            _ =>
            {
                foreach (var path in written)
                    invocation.Console.Line(path);
            }
        );
        return ExitCodes.Ok;
    }

    private static IReadOnlyList<string> FilesOf(string id, string format) =>
        format == State ? [$"{Path.GetFileName(id)}.safetensors"] : CheckpointExports.Files[format];

    /// <summary>A file appears whole or not at all.</summary>
    private static async Task SaveAsync(
        FleetClient client,
        (string Id, string Format, string Name) file,
        string path,
        CancellationToken cancellationToken
    )
    {
        var temporary = $"{path}.{Environment.ProcessId}.part";
        try
        {
            await using (var stream = File.Create(temporary))
            {
                await (
                    file.Format == State
                        ? client.ExportCheckpointAsync(file.Id, stream, cancellationToken)
                        : client.ExportCheckpointAsync(file.Id, file.Format, file.Name, stream, cancellationToken)
                );
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (HttpRequestException e) when (e.HttpRequestError != HttpRequestError.ConnectionError)
        {
            throw new FleetFailure(
                $"{file.Id} breaks off: {e.Message}",
                $"Look whether it is damaged: ./fleet checkpoints verify {file.Id}",
                ExitCodes.Failed
            );
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
