using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary><c>/v1/files</c> over HTTP: whole files, ranges of them, and forms that are no upload.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class FileTests(RunningSilo silo)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_comes_back_as_it_was_sent_and_in_ranges()
    {
        var bytes = RandomNumberGenerator.GetBytes((2 << 20) + 77);
        var file = await UploadAsync(bytes, "../folder/train ü.jsonl");
        Assert.Equal(
            ("file", bytes.Length, "train ü.jsonl", "fine-tune", "processed"),
            (file.Object, (int)file.Bytes, file.Filename, file.Purpose, file.Status)
        );
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.Egpufleet.Sha256);
        using var whole = new MemoryStream();
        await silo.Client.DownloadFileAsync(file.Id, whole, Token);
        Assert.Equal(bytes, whole.ToArray());
        using var request = new HttpRequestMessage(HttpMethod.Get, Routes.FileContent(file.Id));
        request.Headers.Range = new RangeHeaderValue((1 << 20) - 10, (1 << 20) + 9);
        using var part = await silo.Http.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[((1 << 20) - 10)..((1 << 20) + 10)], await part.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task A_node_reads_a_file_in_ranges()
    {
        var bytes = RandomNumberGenerator.GetBytes(5000);
        var path = $"{InternalRoutes.Files}/{(await UploadAsync(bytes, "a.jsonl")).Id}/content";
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await silo.JoinAsync("node-files"));
        request.Headers.Range = new RangeHeaderValue(100, null);
        using var part = await silo.Http.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[100..], await part.Content.ReadAsByteArrayAsync(Token));
    }

    [Fact]
    public async Task A_file_is_listed_until_it_is_deleted_and_deleting_it_again_says_the_same()
    {
        var file = await UploadAsync([1, 2, 3], "a.jsonl");
        Assert.Contains((await silo.Client.ListFilesAsync("fine-tune", Token)).Data, found => found == file);
        Assert.DoesNotContain((await silo.Client.ListFilesAsync("batch", Token)).Data, found => found.Id == file.Id);
        for (var i = 0; i < 2; i++)
            Assert.Equal(new DeletedFileInfo(file.Id, "file", true), await silo.Client.DeleteFileAsync(file.Id, Token));
        Assert.DoesNotContain((await silo.Client.ListFilesAsync(null, Token)).Data, found => found.Id == file.Id);
        foreach (var path in (string[])[Routes.File(file.Id), Routes.FileContent(file.Id), Routes.File("nonsense")])
        {
            using var response = await silo.Http.GetAsync(path, Token);
            var error = await response.EnvelopeAsync(HttpStatusCode.NotFound);
            Assert.Equal("file_not_found", (string?)error["code"]);
        }
    }

    [Theory]
    [InlineData("?limit=0")]
    [InlineData("?limit=x")]
    [InlineData("?order=up")]
    [InlineData("?after=nonsense")]
    public async Task A_query_that_makes_no_sense_is_refused(string query)
    {
        using var response = await silo.Http.GetAsync(Routes.Files + query, Token);
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal(query[1..query.IndexOf('=', StringComparison.Ordinal)], (string?)error["param"]);
    }

    public static TheoryData<string, string, string> Refused { get; } =
        new()
        {
            { "no purpose", Part("file", "x", "a"), "invalid_purpose" },
            { "no file", Part("purpose", "batch"), "invalid_file" },
            { "unknown purpose", Part("purpose", "vision") + Part("file", "x", "a"), "invalid_purpose" },
            { "no filename", Part("purpose", "batch") + Part("file", "x"), "invalid_file" },
            { "empty filename", Part("purpose", "batch") + Part("file", "x", "folder/"), "invalid_file" },
            { "two files", Part("purpose", "batch") + Part("file", "x", "a") + Part("file", "y", "b"), "invalid_file" },
            { "empty file", Part("purpose", "batch") + Part("file", "", "a"), "invalid_file" },
            { "nameless part", "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n", "malformed_form" },
            { "huge header", $"--b\r\nX: {new string('x', 100_000)}\r\n\r\nx\r\n", "malformed_form" },
            {
                "many headers",
                $"--b\r\n{string.Concat(Enumerable.Repeat("X: y\r\n", 1000))}\r\nx\r\n",
                "malformed_form"
            },
            { "many parts", string.Concat(Enumerable.Repeat(Part("extra", "x"), 50)), "malformed_form" },
            { "long purpose", Part("purpose", new string('x', 10_000)), "request_too_large" },
            { "no form at all", "hello", "invalid_purpose" },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_form_that_is_no_upload_is_refused_and_leaves_nothing(string what, string body, string code)
    {
        var before = (await silo.Client.ListFilesAsync(null, Token)).Data.Count;
        using var response = await PostAsync(body + "--b--\r\n");
        var status = code == "request_too_large" ? HttpStatusCode.RequestEntityTooLarge : HttpStatusCode.BadRequest;
        var error = await response.EnvelopeAsync(status);
        Assert.True(code == (string?)error["code"], $"{what}: {error.ToJsonString()}");
        Assert.Equal(before, (await silo.Client.ListFilesAsync(null, Token)).Data.Count);
    }

    [Fact]
    public async Task Unknown_parts_are_passed_over_and_the_purpose_may_come_last()
    {
        using var response = await PostAsync(
            Part("expires_after[anchor]", "created_at")
                + Part("file", "{}", "a.jsonl")
                + Part("purpose", "batch")
                + "--b--\r\n"
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_body_of_another_type_is_refused()
    {
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var response = await silo.Http.PostAsync(Routes.Files, content, Token);
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal("unsupported_media_type", (string?)error["code"]);
    }

    [Fact]
    public async Task A_file_that_says_it_is_too_large_is_refused_before_it_is_sent()
    {
        var answer = await RawAsync($"Content-Length: {Limits.FileBytes + (1 << 20)}\r\n", "");
        Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_vanishes_in_the_middle_leaves_nothing_and_the_next_upload_is_received()
    {
        var before = (await silo.Client.ListFilesAsync(null, Token)).Data.Count;
        // More than are received at once: each must give its place back.
        for (var i = 0; i < 3 * Limits.ConcurrentFileUploads; i++)
        {
            using var client = await ConnectAsync();
            await client
                .GetStream()
                .WriteAsync(
                    Encoding.ASCII.GetBytes(
                        Head("Content-Length: 5000000\r\n")
                            + Part("purpose", "batch")
                            + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
                            + new string('x', 2_000_000)
                    ),
                    Token
                );
        }
        await UploadAsync([1], "after.jsonl");
        Assert.Equal(before + 1, (await silo.Client.ListFilesAsync(null, Token)).Data.Count);
    }

    private static string Part(string name, string content, string? fileName = null) =>
        $"--b\r\nContent-Disposition: form-data; name=\"{name}\""
        + (fileName is null ? "" : $"; filename=\"{fileName}\"")
        + $"\r\n\r\n{content}\r\n";

    private string Head(string headers) =>
        $"POST {Routes.Files} HTTP/1.1\r\nHost: 127.0.0.1:{silo.Port}\r\n"
        + $"Content-Type: multipart/form-data; boundary=b\r\n{headers}\r\n";

    private async Task<StoredFileInfo> UploadAsync(byte[] bytes, string name)
    {
        using var content = new MemoryStream(bytes);
        return await silo.Client.UploadFileAsync(content, name, "fine-tune", Token);
    }

    private async Task<HttpResponseMessage> PostAsync(string body)
    {
        using var content = new StringContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=b");
        return await silo.Http.PostAsync(Routes.Files, content, Token);
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, silo.Port, Token);
        return client;
    }

    private async Task<string> RawAsync(string headers, string body)
    {
        using var client = await ConnectAsync();
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Head(headers) + body), Token);
        var answer = new byte[64];
        var count = await client.GetStream().ReadAtLeastAsync(answer, 12, cancellationToken: Token);
        return Encoding.ASCII.GetString(answer, 0, count);
    }
}
