using System.ClientModel;
using System.Security.Cryptography;
using OpenAI;
using OpenAI.Files;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>Files through the official .NET SDK and the command line.</summary>
public sealed class FileTests(SharedFleet shared)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_sdk_uploads_lists_reads_and_deletes_a_file()
    {
        var bytes = RandomNumberGenerator.GetBytes(1_500_000);
        using var content = new MemoryStream(bytes);
        OpenAIFile file = await Client().UploadFileAsync(content, "train.jsonl", FileUploadPurpose.FineTune, Token);
        Assert.Equal(
            ("train.jsonl", bytes.Length, FilePurpose.FineTune),
            (file.Filename, file.SizeInBytes, file.Purpose)
        );
        Assert.Equal(file.Id, (await Client().GetFileAsync(file.Id, Token)).Value.Id);
        var listed = (await Client().GetFilesAsync(FilePurpose.FineTune, Token)).Value;
        Assert.Contains(listed, found => found.Id == file.Id);
        Assert.Equal(bytes, (await Client().DownloadFileAsync(file.Id, Token)).Value.ToArray());
        Assert.True((await Client().DeleteFileAsync(file.Id, Token)).Value.Deleted);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() => Client().GetFileAsync(file.Id, Token));
        Assert.Equal(404, gone.Status);
    }

    [Fact]
    public async Task The_sdk_sees_a_typed_error_for_a_purpose_that_is_not_served()
    {
        using var content = new MemoryStream([1]);
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            Client().UploadFileAsync(content, "cat.png", FileUploadPurpose.Vision, Token)
        );
        Assert.Equal(400, error.Status);
        Assert.Contains("invalid_purpose", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_uploads_lists_gets_and_removes_a_file()
    {
        var folder = Directory.CreateTempSubdirectory("egpufleet-files-");
        try
        {
            var source = Path.Combine(folder.FullName, "data.jsonl");
            var target = Path.Combine(folder.FullName, "back.jsonl");
            await File.WriteAllTextAsync(source, "{\"text\":\"a\"}\n", Token);
            var uploaded = await FleetAsync("upload", source, "--json");
            Assert.True(uploaded.ExitCode == 0, uploaded.Error);
            var id = (string)System.Text.Json.Nodes.JsonNode.Parse(uploaded.Output)!["id"]!;
            Assert.Contains(id, (await FleetAsync("ls")).Output, StringComparison.Ordinal);
            Assert.Equal(0, (await FleetAsync("get", id, target)).ExitCode);
            Assert.Equal(await File.ReadAllTextAsync(source, Token), await File.ReadAllTextAsync(target, Token));
            Assert.NotEqual(0, (await FleetAsync("get", id, target)).ExitCode);
            Assert.Equal(0, (await FleetAsync("rm", id)).ExitCode);
            var missing = await FleetAsync("get", id, target + "2");
            Assert.NotEqual(0, missing.ExitCode);
            Assert.Contains(id, missing.Error, StringComparison.Ordinal);
            Assert.Equal(2, folder.GetFiles().Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private Task<CommandResult> FleetAsync(params string[] arguments) =>
        CommandLine.RunAsync(Token, ["files", .. arguments, "--data", shared.Fleet.DataDirectory]);

    private OpenAIFileClient Client() =>
        new OpenAIClient(
            new ApiKeyCredential("no-key-is-needed-on-loopback"),
            new OpenAIClientOptions { Endpoint = new Uri(shared.Fleet.Http.BaseAddress!, "/v1") }
        ).GetOpenAIFileClient();
}
