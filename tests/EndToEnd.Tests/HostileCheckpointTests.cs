using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>Requests to the data path that no agent of ours would send: each is refused by name, and nothing is stored.</summary>
[Collection(OnCheckpointFleet.Name)]
public sealed class HostileCheckpointTests(CheckpointFleet fleet)
{
    private const string NoCheckpoint = "ckpt_00000000000000000000000000000000";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_gets_anything_without_a_credential()
    {
        using var stranger = new HttpClient { BaseAddress = fleet.Rig.Silos[0].Url };
        foreach (
            var (method, path) in ((string, string)[])
                [
                    ("POST", ""),
                    ("POST", $"/{NoCheckpoint}/announce"),
                    ("PUT", $"/{NoCheckpoint}/chunks"),
                    ("POST", $"/{NoCheckpoint}/complete"),
                    ("POST", $"/{NoCheckpoint}/verify"),
                    ("GET", $"/{NoCheckpoint}"),
                    ("GET", $"/{NoCheckpoint}/data"),
                    ("GET", "/latest?job=x&shard=0"),
                ]
        )
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), InternalRoutes.Checkpoints + path);
            using var response = await stranger.SendAsync(request, Token);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    [InlineData("[", HttpStatusCode.BadRequest)]
    [InlineData("""{"job":"job_0","shard":0,"epoch":1,"step":0}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData(
        """{"job":"job_00000000000000000000000000000000","shard":-1,"epoch":1,"step":0}""",
        HttpStatusCode.UnprocessableEntity
    )]
    [InlineData(
        """{"job":"job_00000000000000000000000000000000","shard":0,"epoch":1,"step":0,"parent":"x"}""",
        HttpStatusCode.NotFound
    )]
    [InlineData(
        """{"job":"job_00000000000000000000000000000000","shard":0,"epoch":1,"step":0}""",
        HttpStatusCode.Conflict
    )]
    public Task What_opens_nothing(string body, HttpStatusCode status) =>
        RefusedAsync(HttpMethod.Post, "", Text(body), status);

    [Theory]
    [InlineData("latest", HttpStatusCode.UnprocessableEntity)]
    [InlineData("latest?job=job_00000000000000000000000000000000&shard=-1", HttpStatusCode.UnprocessableEntity)]
    [InlineData("latest?job=job_00000000000000000000000000000000&shard=0", HttpStatusCode.NotFound)]
    [InlineData("ckpt_x", HttpStatusCode.NotFound)]
    [InlineData(NoCheckpoint, HttpStatusCode.NotFound)]
    [InlineData(NoCheckpoint + "/data", HttpStatusCode.NotFound)]
    public Task What_finds_nothing(string path, HttpStatusCode status) =>
        RefusedAsync(HttpMethod.Get, "/" + path, null, status);

    [Theory]
    [InlineData("/api/v1/checkpoints?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("/api/v1/checkpoints?order=asc", HttpStatusCode.BadRequest)]
    [InlineData("/api/v1/checkpoints?job=x", HttpStatusCode.UnprocessableEntity)]
    [InlineData("/api/v1/checkpoints?after=x", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/checkpoints/x", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/checkpoints/" + NoCheckpoint, HttpStatusCode.NotFound)]
    [InlineData("/api/v1/checkpoints/" + NoCheckpoint + "/content", HttpStatusCode.NotFound)]
    public async Task What_the_public_routes_refuse(string path, HttpStatusCode status)
    {
        using var response = await fleet.Http.GetAsync(new Uri(path, UriKind.Relative), Token);
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task Hashes_that_are_none_are_refused()
    {
        var id = await OpenAsync();
        var path = $"/{id}/announce";
        await RefusedAsync(HttpMethod.Post, path, Bytes(31), HttpStatusCode.BadRequest);
        await RefusedAsync(HttpMethod.Post, path, Bytes(64), HttpStatusCode.BadRequest);
        await RefusedAsync(HttpMethod.Post, path, Bytes((256 << 10) + 32), HttpStatusCode.RequestEntityTooLarge);
        await RefusedAsync(HttpMethod.Post, $"/{NoCheckpoint}/announce", Bytes(32), HttpStatusCode.Gone);
    }

    [Fact]
    public async Task Batches_that_are_none_store_nothing()
    {
        var (good, bad) = (Encoding.ASCII.GetBytes($"good {Guid.NewGuid()}"), Encoding.ASCII.GetBytes("bad"));
        var id = await OpenAsync();
        using var announced = await SendAsync(
            HttpMethod.Post,
            $"/{id}/announce",
            new ByteArrayContent(ChunkHash.Of(good).ToArray())
        );
        Assert.Equal(HttpStatusCode.OK, announced.StatusCode);
        var fine = Frame(ChunkHash.Of(good), good.Length, good);
        byte[][] refused =
        [
            [.. fine, .. Frame(ChunkHash.Of(good), bad.Length, bad)],
            [.. fine, .. fine],
            [.. fine, 1, 2, 3],
            [.. fine, .. Frame(ChunkHash.Of(bad), 0, [])],
            [.. fine, .. Frame(ChunkHash.Of(bad), -1, bad)],
            [.. fine, .. Frame(ChunkHash.Of(bad), int.MaxValue, bad)],
            [.. fine, .. Frame(ChunkHash.Of(bad), bad.Length + 1, bad)],
            // Whole, and not announced.
            [.. fine, .. Frame(ChunkHash.Of(bad), bad.Length, bad)],
        ];
        foreach (var body in refused)
            await RefusedAsync(
                HttpMethod.Put,
                $"/{id}/chunks",
                new ByteArrayContent(body),
                HttpStatusCode.UnprocessableEntity
            );
        await RefusedAsync(
            HttpMethod.Put,
            $"/{id}/chunks",
            Bytes(CheckpointLimits.BatchBytes + 1),
            HttpStatusCode.RequestEntityTooLarge
        );
        await using var stored = fleet.Rig.Postgres.Database.CreateCommand(
            "select count(*) from chunk where hash = $1"
        );
        stored.Parameters.Add(new() { Value = ChunkHash.Of(good).ToArray() });
        Assert.Equal(0L, await stored.ExecuteScalarAsync(Token));
        using var taken = await SendAsync(HttpMethod.Put, $"/{id}/chunks", new ByteArrayContent(fine));
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
    }

    [Theory]
    [InlineData("""{"manifest":{"tensors":[]},"metrics":{}}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"manifest":{"tensors":[null]},"metrics":{}}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"manifest":null,"metrics":{}}""", HttpStatusCode.BadRequest)]
    [InlineData(
        """{"manifest":{"tensors":[{"name":"a","type":"f99","shape":[1],"size_bytes":4,"chunk_bytes":262144,"hashes":""}]},"metrics":{}}""",
        HttpStatusCode.BadRequest
    )]
    [InlineData(
        """{"manifest":{"tensors":[{"name":"a","type":"u8","shape":[4],"size_bytes":4,"chunk_bytes":262144,"hashes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]},"metrics":{}}""",
        HttpStatusCode.UnprocessableEntity
    )]
    public async Task Manifests_that_are_none_complete_nothing(string body, HttpStatusCode status)
    {
        var id = await OpenAsync();
        await RefusedAsync(HttpMethod.Post, $"/{id}/complete", Text(body), status);
        await RefusedAsync(HttpMethod.Get, $"/{id}", null, HttpStatusCode.NotFound);
    }

    private static byte[] Frame(ChunkHash hash, int length, byte[] data)
    {
        var frame = new byte[CheckpointLimits.FrameBytes + data.Length];
        hash.Write(frame);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(ChunkHash.Bytes), length);
        data.CopyTo(frame, CheckpointLimits.FrameBytes);
        return frame;
    }

    private static ByteArrayContent Bytes(int count) => new(new byte[count]);

    private static StringContent Text(string json) => new(json, Encoding.UTF8, "application/json");

    private async Task<string> OpenAsync()
    {
        var lease = await fleet.LeaseAsync(Token);
        using var response = await SendAsync(
            HttpMethod.Post,
            "",
            JsonContent.Create(
                new CheckpointOpening(lease.Shard.Job.ToString(), 0, lease.Epoch, 1),
                options: CheckpointJson.Options
            )
        );
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<CheckpointOpened>(CheckpointJson.Options, Token))!.Id;
    }

    private async Task RefusedAsync(HttpMethod method, string path, HttpContent? content, HttpStatusCode status)
    {
        using var response = await SendAsync(method, path, content);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(status == response.StatusCode, $"{(int)response.StatusCode}, not {(int)status}: {text}");
        Assert.False(string.IsNullOrEmpty((string?)JsonNode.Parse(text)!["detail"]));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, InternalRoutes.Checkpoints + path) { Content = content };
        return await fleet.Http.SendAsync(request, Token);
    }
}
