using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet models</c> and <c>fleet models add NAME PATH</c>.</summary>
internal static class ModelsVerb
{
    private static readonly Argument<string> Name = new("NAME") { Description = "Name that requests use" };

    private static readonly Argument<FileInfo> File = new("PATH") { Description = "GGUF file" };

    public static Command Create()
    {
        var add = new Command("add", "Register a GGUF file under a name") { Name, File };
        add.SetAction(AddAsync);
        var command = new Command("models", "List the registered models")
        {
            add.WithExamples("./fleet models add tiny-fleet samples/models/tiny-fleet.gguf"),
        };
        command.SetAction(ListAsync);
        return command.WithExamples("./fleet models", "./fleet models add my-model ~/models/my-model.gguf");
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var page = await invocation.Client.ListModelsAsync(cancellationToken);
        invocation.Console.Show(page, _ => Print(invocation.Console, page.Data));
        return ExitCodes.Ok;
    }

    private static async Task<int> AddAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var file = parsed.GetRequiredValue(File);
        if (!file.Exists)
            throw new FleetFailure(
                $"There is no file {file.FullName}.",
                "Give the path of a GGUF file.",
                ExitCodes.NotFound
            );
        var model = await ModelUpload.SendAsync(
            invocation.Client,
            invocation.Console,
            parsed.GetRequiredValue(Name),
            file,
            cancellationToken
        );
        invocation.Console.Show(model, _ => Print(invocation.Console, [model]));
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, IReadOnlyList<ModelInfo> models) =>
        console.Table(
            ["MODEL", "ARCHITECTURE", "QUANTIZATION", "PARAMETERS", "CONTEXT", "SIZE", "CHAT", "SHA-256", "ADAPTER OF"],
            models.Select(model =>
                (IReadOnlyList<string>)
                    [
                        model.Name,
                        model.Architecture,
                        model.Quantization,
                        $"{model.ParameterCount / 1e6:0.0} M",
                        model.ContextLength.ToString(),
                        Format.Bytes(model.SizeBytes),
                        model.HasChatTemplate ? "yes" : "no",
                        model.Sha256[..Math.Min(12, model.Sha256.Length)],
                        model.Base ?? "",
                    ]
            )
        );
}
