using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet files</c>: ls, upload, get, rm.</summary>
internal static class FilesVerb
{
    private static readonly Argument<string> Id = new("ID") { Description = "Id of the file" };

    private static readonly Argument<FileInfo> Source = new("PATH") { Description = "File to upload" };

    private static readonly Argument<FileInfo> Target = new("PATH")
    {
        Description = "Where it is written; must be new",
    };

    private static readonly Option<string> Purpose = new("--purpose")
    {
        Description = "What it is for: fine-tune or batch",
        DefaultValueFactory = _ => "fine-tune",
    };

    public static Command Create()
    {
        var list = new Command("ls", "List the uploaded files, newest first");
        list.SetAction(ListAsync);
        var upload = new Command("upload", "Upload a file") { Source, Purpose };
        upload.SetAction(UploadAsync);
        var get = new Command("get", "Fetch the content of a file") { Id, Target };
        get.SetAction(GetAsync);
        var remove = new Command("rm", "Delete a file") { Id };
        remove.SetAction(RemoveAsync);
        return new Command("files", "Files for fine-tuning and batches")
        {
            list,
            upload.WithExamples(
                "./fleet files upload train.jsonl",
                "./fleet files upload requests.jsonl --purpose batch"
            ),
            get.WithExamples("./fleet files get FILE back.jsonl"),
            remove.WithExamples("./fleet files rm FILE"),
        }.WithExamples("./fleet files upload train.jsonl", "./fleet files ls");
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var page = await invocation.Client.ListFilesAsync(null, cancellationToken);
        invocation.Console.Show(page, _ => Print(invocation.Console, page.Data));
        return ExitCodes.Ok;
    }

    private static async Task<int> UploadAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var source = parsed.GetRequiredValue(Source);
        if (!source.Exists)
            throw new FleetFailure(
                $"There is no file {source.FullName}.",
                "Give the path of a file.",
                ExitCodes.NotFound
            );
        await using var content = source.OpenRead();
        var file = await invocation.Client.UploadFileAsync(
            content,
            source.Name,
            parsed.GetRequiredValue(Purpose),
            cancellationToken
        );
        invocation.Console.Show(file, _ => Print(invocation.Console, [file]));
        return ExitCodes.Ok;
    }

    private static async Task<int> GetAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var target = parsed.GetRequiredValue(Target);
        if (target.Exists)
            throw new FleetFailure($"{target.FullName} exists.", "Give the path of a new file.");
        // Under another name until it is whole: what breaks off must not look like the file.
        var partial = target.FullName + ".partial";
        try
        {
            await using (var into = File.Create(partial))
                await invocation.Client.DownloadFileAsync(parsed.GetRequiredValue(Id), into, cancellationToken);
            File.Move(partial, target.FullName);
        }
        finally
        {
            File.Delete(partial);
        }
        target.Refresh();
        invocation.Console.Line($"{target.FullName} ({Format.Bytes(target.Length)})");
        return ExitCodes.Ok;
    }

    private static async Task<int> RemoveAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var gone = await invocation.Client.DeleteFileAsync(parsed.GetRequiredValue(Id), cancellationToken);
        invocation.Console.Show(gone, _ => invocation.Console.Line($"{gone.Id} is deleted."));
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, IReadOnlyList<StoredFileInfo> files) =>
        console.Table(
            ["FILE", "NAME", "PURPOSE", "SIZE", "CREATED", "SHA-256"],
            files.Select(file =>
                (IReadOnlyList<string>)
                    [
                        file.Id,
                        file.Filename,
                        file.Purpose,
                        Format.Bytes(file.Bytes),
                        Format.Time(DateTimeOffset.FromUnixTimeSeconds(file.CreatedAt)),
                        file.Egpufleet.Sha256[..12],
                    ]
            )
        );
}
