using System.Net.Http.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests.Tinygrad;

/// <summary>A fleet whose only device is the processor under tinygrad: HTTP, silo, agent, worker, Python.</summary>
public sealed class TinygradFleetTests
{
    [Fact]
    public async Task The_reference_text_comes_through_the_whole_system_token_for_token()
    {
        NeedsTinygrad.Require();
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var fleet = await FleetUnderTest.StartAsync(
            cancellationToken,
            agents: 1,
            environment: new Dictionary<string, string>
            {
                ["EGPUFLEET_CPU_ENGINE"] = "tinygrad",
                ["EGPUFLEET_MEASURE"] = "off",
            }
        );
        await fleet.AddModelAsync(SharedFleet.ReferenceModel, SharedFleet.ReferenceModelPath, cancellationToken);

        using var response = await fleet.Http.PostAsJsonAsync(
            "/v1/completions",
            GoldenTextTests.Request,
            cancellationToken
        );

        response.EnsureSuccessStatusCode();
        var body = (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
        Assert.Equal(GoldenTextTests.Golden, (string?)body["choices"]![0]!["text"]);
        Assert.Equal("length", (string?)body["choices"]![0]!["finish_reason"]);
        Assert.Equal(GoldenTextTests.Tokens, (int?)body["usage"]!["completion_tokens"]);
        var device = Assert.Single((await fleet.Client.ListDevicesAsync(cancellationToken)).Data);
        Assert.Equal(("local-1/cpu0", "tinygrad", "ready"), (device.Id, device.Engine, device.State));
        Assert.True(device.MemoryBytes > 0);
    }
}
