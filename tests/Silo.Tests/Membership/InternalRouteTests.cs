using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Membership;
using EgpuFleet.Silo.Tests.Gateway;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Tests.Membership;

/// <summary>Enrolment, the membership table and model files: only for whom they are.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class InternalRouteTests(RunningSilo silo)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task Nobody_enrols_or_reads_without_a_credential(string? credential)
    {
        foreach (
            var path in (string[])
                [InternalRoutes.Membership, $"{InternalRoutes.Models}/x", $"{InternalRoutes.Files}/x/content"]
        )
        {
            using var response = await SendAsync(HttpMethod.Get, path, credential, null);
            await response.ProblemAsync(HttpStatusCode.Unauthorized);
        }
        using var enrolment = await EnrolAsync("node-x", new string('0', 64), credential);
        await enrolment.ProblemAsync(HttpStatusCode.Unauthorized);
        using var insert = await WriteAsync("insert", Row("node-x", 7001), credential);
        await insert.ProblemAsync(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task The_enrolment_secret_is_for_its_owner_only()
    {
        var path = Path.Combine(silo.DataDirectory, "silo", "enrolment.secret");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(64, (await File.ReadAllTextAsync(path, Token)).Trim().Length);
    }

    [Theory]
    [InlineData("control-1")]
    [InlineData("Node")]
    [InlineData("-x")]
    [InlineData("")]
    public async Task A_name_that_a_node_may_not_have_is_refused(string name)
    {
        using var response = await EnrolAsync(name, new string('0', 64), await SecretAsync());

        await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_new_credential_replaces_the_old_one_at_once()
    {
        var old = await silo.JoinAsync("node-renewed");
        using var before = await SendAsync(HttpMethod.Get, InternalRoutes.Membership, old, null);
        var renewed = await silo.JoinAsync("node-renewed");

        using var withOld = await SendAsync(HttpMethod.Get, InternalRoutes.Membership, old, null);
        using var withNew = await SendAsync(HttpMethod.Get, InternalRoutes.Membership, renewed, null);

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, withOld.StatusCode);
        Assert.Equal(HttpStatusCode.OK, withNew.StatusCode);
    }

    [Fact]
    public async Task A_node_writes_its_own_row_and_no_other()
    {
        var own = await silo.JoinAsync("node-own");
        var other = await silo.JoinAsync("node-other");
        var row = Row("node-own", 7101);

        Assert.True(await WriteOkAsync("insert", row, own));
        Assert.True(await WriteOkAsync("alive", row with { IAmAliveTime = row.IAmAliveTime.AddMinutes(1) }, own));
        Assert.False(await WriteOkAsync("insert", row, own));

        // Under its own name, under another's, and as a vote: a foreign row is not for it.
        foreach (var stranger in (MembershipRow[])[row, row with { Name = "node-other" }, Dead(row)])
        {
            foreach (var operation in (string[])["update", "alive"])
            {
                using var response = await WriteAsync(operation, stranger, other);
                await response.ProblemAsync(HttpStatusCode.Forbidden);
            }
        }
        var read = (await TableAsync(own)).Rows.Single(found => found.Silo == row.Silo);
        Assert.Equal(("node-own", (int)SiloStatus.Joining), (read.Name, read.Status));
        Assert.True(await WriteOkAsync("update", Dead(row), own));
    }

    [Fact]
    public async Task A_dead_row_stays_dead()
    {
        var own = await silo.JoinAsync("node-dead");
        var row = Row("node-dead", 7201);
        Assert.True(await WriteOkAsync("insert", row, own));
        Assert.True(await WriteOkAsync("update", Dead(row), own));

        using var response = await WriteAsync("update", row, own);

        await response.ProblemAsync(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_node_offers_no_client_gateway()
    {
        var own = await silo.JoinAsync("node-gateway");

        using var response = await WriteAsync("insert", Row("node-gateway", 7301) with { ProxyPort = 30000 }, own);

        await response.ProblemAsync(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_node_may_not_speak_for_the_control_silo()
    {
        var own = await silo.JoinAsync("node-usurper");
        var control = (await TableAsync(own)).Rows.Single(row =>
            row.Name == "control-1" && row.Status == (int)SiloStatus.Active
        );

        foreach (
            var row in (MembershipRow[])[Dead(control), Dead(control) with { Name = "node-usurper", ProxyPort = 0 }]
        )
        {
            using var response = await WriteAsync("update", row, own);
            await response.ProblemAsync(HttpStatusCode.Forbidden);
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"row":null,"version":1,"version_tag":""}""")]
    [InlineData(
        """{"row":{"silo":"nowhere","name":"node-odd","host_name":"","status":3,"proxy_port":0,"start_time":"2026-01-01T00:00:00Z","i_am_alive_time":"2026-01-01T00:00:00Z","suspicions":[],"e_tag":""},"version":1,"version_tag":""}"""
    )]
    [InlineData(
        """{"row":{"silo":"127.0.0.1:1@1","name":"node-odd","host_name":"","status":99,"proxy_port":0,"start_time":"2026-01-01T00:00:00Z","i_am_alive_time":"2026-01-01T00:00:00Z","suspicions":[],"e_tag":""},"version":1,"version_tag":""}"""
    )]
    public async Task A_malformed_row_is_refused(string body)
    {
        var own = await silo.JoinAsync("node-odd");

        using var response = await SendAsync(
            HttpMethod.Post,
            InternalRoutes.Membership + "/insert",
            own,
            new StringContent(body, Encoding.UTF8, "application/json")
        );

        await response.ProblemAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_node_reads_model_files_in_ranges()
    {
        var own = await silo.JoinAsync("node-reader");
        var bytes = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, Token);
        var path = $"{InternalRoutes.Models}/{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

        using var whole = await SendAsync(HttpMethod.Get, path, own, null);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", own);
        request.Headers.Range = new RangeHeaderValue(100, 199);
        using var part = await silo.Http.SendAsync(request, Token);
        using var missing = await SendAsync(
            HttpMethod.Get,
            $"{InternalRoutes.Models}/{new string('0', 64)}",
            own,
            null
        );

        Assert.Equal(bytes, await whole.Content.ReadAsByteArrayAsync(Token));
        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(bytes[100..200], await part.Content.ReadAsByteArrayAsync(Token));
        await missing.ProblemAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("{", HttpStatusCode.BadRequest)]
    [InlineData("""{"job":"x","shard":0,"epoch":1,"notes":[]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"job":"J","shard":0,"epoch":0,"notes":[]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"job":"J","shard":0,"epoch":1,"notes":[]}""", HttpStatusCode.UnprocessableEntity)]
    [InlineData("""{"job":"J","shard":0,"epoch":1,"notes":[{"kind":7,"step":1}]}""", HttpStatusCode.BadRequest)]
    [InlineData(
        """{"job":"J","shard":0,"epoch":1,"notes":[{"kind":"message","step":1,"text":"x","metrics":null}]}""",
        HttpStatusCode.Conflict
    )]
    public async Task Notes_of_a_run_are_taken_only_under_its_lease(string body, HttpStatusCode status)
    {
        var content = body.Replace(
            "\"J\"",
            $"\"{JobId.New(TimeProvider.System.GetUtcNow())}\"",
            StringComparison.Ordinal
        );
        using var stranger = await SendAsync(HttpMethod.Post, InternalRoutes.TrainingNotes, null, Json(content));
        await stranger.ProblemAsync(HttpStatusCode.Unauthorized);
        var credential = await silo.JoinAsync("node-notes");
        using var response = await SendAsync(HttpMethod.Post, InternalRoutes.TrainingNotes, credential, Json(content));
        await response.ProblemAsync(status);

        static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
    }

    private static MembershipRow Row(string name, int port)
    {
        var start = new DateTime(2026, 11, 23, 1, 0, 0, DateTimeKind.Utc);
        var silo = SiloAddress.New(IPAddress.Loopback, port, 1).ToParsableString();
        return new MembershipRow(silo, name, "host", (int)SiloStatus.Joining, 0, start, start, [], string.Empty);
    }

    private static MembershipRow Dead(MembershipRow row) => row with { Status = (int)SiloStatus.Dead };

    private async Task<string> SecretAsync() =>
        (await File.ReadAllTextAsync(Path.Combine(silo.DataDirectory, "silo", "enrolment.secret"), Token)).Trim();

    private Task<HttpResponseMessage> EnrolAsync(string node, string hash, string? secret) =>
        SendAsync(
            HttpMethod.Post,
            InternalRoutes.Nodes,
            secret,
            JsonContent.Create(new NodeEnrolment(node, hash), options: MembershipJson.Options)
        );

    private async Task<MembershipTable> TableAsync(string credential)
    {
        using var response = await SendAsync(HttpMethod.Get, InternalRoutes.Membership, credential, null);
        return (await response.Content.ReadFromJsonAsync<MembershipTable>(MembershipJson.Options, Token))!;
    }

    private async Task<bool> WriteOkAsync(string operation, MembershipRow row, string credential)
    {
        using var response = await WriteAsync(operation, row, credential);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<bool>(Token);
    }

    private async Task<HttpResponseMessage> WriteAsync(string operation, MembershipRow row, string? credential)
    {
        var (version, tag) = (0, string.Empty);
        if (credential is { Length: > 0 })
        {
            using var response = await SendAsync(HttpMethod.Get, InternalRoutes.Membership, credential, null);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                var table = (await response.Content.ReadFromJsonAsync<MembershipTable>(MembershipJson.Options, Token))!;
                (version, tag) = (table.Version + 1, table.VersionTag);
            }
        }
        return await SendAsync(
            HttpMethod.Post,
            $"{InternalRoutes.Membership}/{operation}",
            credential,
            JsonContent.Create(
                new MembershipWrite(row with { ETag = tag }, version, tag),
                options: MembershipJson.Options
            )
        );
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? credential,
        HttpContent? content
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (credential is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {credential}");
        return await silo.Http.SendAsync(request, Token);
    }
}
