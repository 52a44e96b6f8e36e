using System.Net;
using EgpuFleet.NodeAgent.Joining;

namespace EgpuFleet.NodeAgent.Tests.Joining;

/// <summary>Several gateways: any that answers will do.</summary>
public sealed class GatewayFailoverTests
{
    private static readonly Uri First = new("http://first");
    private static readonly Uri Second = new("http://second");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_gateway_is_asked_at_once_and_then_first()
    {
        using var gateways = new Gateways(("first", null), ("second", HttpStatusCode.OK));

        Assert.Equal(HttpStatusCode.OK, await gateways.GetAsync());
        Assert.Equal(HttpStatusCode.OK, await gateways.GetAsync());

        Assert.Equal(["first", "second", "second"], gateways.Asked);
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_gateway_that_lacks_it_or_is_not_ready_is_passed_over(HttpStatusCode status)
    {
        using var gateways = new Gateways(("first", status), ("second", HttpStatusCode.OK));

        Assert.Equal(HttpStatusCode.OK, await gateways.GetAsync());
    }

    [Fact]
    public async Task A_refusal_is_an_answer()
    {
        using var gateways = new Gateways(("first", HttpStatusCode.Unauthorized), ("second", HttpStatusCode.OK));

        Assert.Equal(HttpStatusCode.Unauthorized, await gateways.GetAsync());
        Assert.Equal(["first"], gateways.Asked);
    }

    [Fact]
    public async Task The_last_answer_counts_when_none_is_good()
    {
        using var missing = new Gateways(("first", HttpStatusCode.BadGateway), ("second", HttpStatusCode.NotFound));
        using var gone = new Gateways(("first", HttpStatusCode.BadGateway), ("second", null));

        Assert.Equal(HttpStatusCode.NotFound, await missing.GetAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => gone.GetAsync());
    }

    /// <summary>Two gateways by name; one without a status is not there.</summary>
    private sealed class Gateways(params (string Host, HttpStatusCode? Status)[] answers) : HttpMessageHandler
    {
        private readonly GatewayChoice choice = new([First, Second]);

        public List<string> Asked { get; } = [];

        public async Task<HttpStatusCode> GetAsync()
        {
            using var handler = new GatewayFailover(choice, Limits.GatewayTimeout, this);
            using var client = new HttpMessageInvoker(handler, disposeHandler: false);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(First, "/x?y"));
            using var response = await client.SendAsync(request, Token);
            return response.StatusCode;
        }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            Assert.Equal("/x?y", request.RequestUri!.PathAndQuery);
            Asked.Add(request.RequestUri.Host);
            var status = answers.Single(answer => answer.Host == request.RequestUri.Host).Status;
            return status is { } given
                ? Task.FromResult(new HttpResponseMessage(given))
                : throw new HttpRequestException("not there");
        }
    }
}
