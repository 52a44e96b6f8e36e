using System.ComponentModel;
using System.Diagnostics;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Tokenizing;

/// <summary>llama.cpp's own test vocabularies, brought by npm once and kept in the user's cache.</summary>
public sealed class LlamaVocabularies : IAsyncLifetime
{
    // llama.cpp's converter writes this line between two texts.
    private const string Separator = "\n__ggml_vocab_test__\n";

    private string? folder;
    private string reason = "";

    public async ValueTask InitializeAsync()
    {
        var script = RepositoryPaths.At("tests", "Formats.Tests", "Tokenizing", "llama-vocabularies.sh");
        var start = new ProcessStartInfo("bash", [script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // Without a network the tests should skip at once.
        start.Environment["npm_config_fetch_retries"] = "0";
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            if (process.ExitCode == 0)
                folder = (await output).Trim();
            else
                reason = (await errors).Trim();
        }
        catch (Win32Exception exception)
        {
            reason = exception.Message;
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Names of all vocabularies; skips the test where there are none.</summary>
    public IEnumerable<string> Names() =>
        Directory
            .EnumerateFiles(Folder(), "ggml-vocab-*.gguf")
            .Select(file => Path.GetFileNameWithoutExtension(file)["ggml-vocab-".Length..]);

    /// <summary>The folder of llama.cpp's collection of chat templates of published models.</summary>
    public string Templates() => Path.Combine(Folder(), "templates");

    public string PathOf(string name) => Path.Combine(Folder(), $"ggml-vocab-{name}.gguf");

    /// <summary>Texts with the ids that the vocabulary's authors' own code gives them.</summary>
    public IReadOnlyList<(string Text, int[] Ids)> Vectors(string name)
    {
        var path = PathOf(name);
        var texts = File.ReadAllText(path + ".inp").Split(Separator)[..^1];
        var ids = File.ReadAllLines(path + ".out");
        Assert.Equal(texts.Length, ids.Length);
        return
        [
            .. texts.Zip(
                ids.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray())
            ),
        ];
    }

    private string Folder()
    {
        Assert.SkipWhen(folder is null, $"llama.cpp's test vocabularies cannot be had: {reason}");
        return folder!;
    }
}
