using System.Net;
using System.Text;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Many damaged requests at once: each is refused with a reason, none breaks the gateway.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class HostileInputTests(RunningSilo silo)
{
    private const int Requests = 600;

    private static readonly string[] Paths =
    [
        Routes.Jobs,
        "/v1/chat/completions",
        "/v1/completions",
        "/internal/nodes",
        "/internal/membership/insert",
        Routes.Model("fuzz"),
    ];

    private static readonly string[] Seeds =
    [
        """{"kind":"batch","model":"tiny-fleet","generation":{"stop":["x"],"seed":1},"items":[{"custom_id":"a","prompt":"b"}]}""",
        """{"model":"none","stream":true,"messages":[{"role":"user","content":"\u00e9\ud83d\ude00"}],"stop":"x"}""",
        """{"model":"none","prompt":[1,2,3],"max_tokens":5}""",
        """{"row":{"silo":"127.0.0.1:1@1","name":"n","host_name":"h","status":3},"version":1,"version_tag":"1"}""",
        "--b\r\nContent-Disposition: form-data; name=\"job\"\r\n\r\n{\"kind\":\"batch\",\"model\":\"tiny-fleet\"}\r\n--b\r\nContent-Disposition: form-data; name=\"input\"\r\n\r\n{\"prompt\":\"a\"}\r\n--b--\r\n",
    ];

    [Fact]
    public async Task Damaged_requests_at_once_never_break_the_gateway()
    {
        var random = new Random(20261123);
        var requests = Enumerable.Range(0, Requests).Select(_ => Damaged(random)).ToArray();

        var statuses = await Task.WhenAll(requests.Select(SendAsync));

        Assert.DoesNotContain(statuses, status => (int)status == 500);
        Assert.Contains(statuses, status => (int)status is >= 400 and < 500);
        using var alive = await silo.Http.GetAsync(Routes.Live, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [Theory]
    [InlineData("%00")]
    [InlineData("%ff")]
    [InlineData("%2e%2e%2f%2e%2e%2fetc%2fpasswd")]
    [InlineData("'; drop table job; --")]
    [InlineData("{id}")]
    public async Task Odd_paths_are_refused_on_every_route(string id)
    {
        string[] paths =
        [
            $"{Routes.Jobs}/{id}",
            $"{Routes.Nodes}/{id}",
            $"{Routes.Devices}/{id}/{id}",
            $"{Routes.Models}/{id}",
            $"/v1/models/{id}",
            $"/internal/models/{id}",
            $"/internal/membership/{id}",
            $"{Routes.Jobs}?after={id}&state={id}",
        ];
        foreach (var path in paths)
        {
            using var response = await silo.Http.GetAsync(path, TestContext.Current.CancellationToken);
            Assert.InRange((int)response.StatusCode, 400, 499);
        }
    }

    private async Task<HttpStatusCode> SendAsync(HttpRequestMessage request)
    {
        using (request)
        using (var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken))
            return response.StatusCode;
    }

    private static HttpRequestMessage Damaged(Random random)
    {
        var bytes = Encoding.UTF8.GetBytes(Seeds[random.Next(Seeds.Length)]);
        for (var changes = random.Next(4); changes > 0; changes--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        if (random.Next(3) == 0)
            bytes = bytes[..random.Next(bytes.Length)];
        var path = Paths[random.Next(Paths.Length)];
        var put = path.StartsWith(Routes.Models, StringComparison.Ordinal);
        var request = new HttpRequestMessage(put ? HttpMethod.Put : HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(bytes),
        };
        var type = bytes.AsSpan().StartsWith("--b"u8) ? "multipart/form-data; boundary=b" : "application/json";
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        return request;
    }
}
