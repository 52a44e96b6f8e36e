using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Silo.Gateway.Native;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>A node's health over the API: what a node says of itself, and what is answered where none can be asked.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class NodeDoctorTests(RunningSilo silo)
{
    [Theory]
    [InlineData("no-such-node", HttpStatusCode.NotFound, "not_found")]
    [InlineData("..%2F..", HttpStatusCode.NotFound, "not_found")]
    public async Task A_node_that_nobody_knows_is_not_found(string id, HttpStatusCode status, string code)
    {
        using var response = await silo.Http.GetAsync(
            new Uri($"{Routes.Nodes}/{id}/doctor", UriKind.Relative),
            TestContext.Current.CancellationToken
        );
        Assert.Equal(code, Answers.CodeOf(await response.ProblemAsync(status)));
    }

    [Fact]
    public void A_condition_names_its_device_in_full_and_stands_with_it()
    {
        var node = new NodeId("mini");
        var of = new NodeCondition("link", ConditionState.Failed, "down", "It dropped.", "Replug.", "egpu0", default);
        var view = new NodeView(node, NodeState.Ready, null, null, [Device(node)], [of, of with { Device = null }]);
        Assert.Equal(["mini/egpu0", null], FleetViews.Show(view).Conditions.Select(condition => condition.Device));
        var names = Array.Empty<string>().ToLookup(name => name);
        var shown = Assert.Single(FleetViews.Show(view.Devices[0], view, names).Conditions);
        Assert.Equal(("link", "failed", "Replug."), (shown.Id, shown.State, shown.Fix));
        Assert.False(FleetViews.Show(node, new NodeExamination("macos", [of], default)).IsWell);
        Assert.True(FleetViews.Show(node, new NodeExamination("macos", [], default)).IsWell);
    }

    private static DeviceStatus Device(NodeId node) =>
        new(
            new DeviceFacts(new DeviceId(node, "egpu0"), DeviceKind.ExternalGpu, "gpu", "tinygrad", 0, 1 << 30),
            DeviceState.Failed,
            "It dropped.",
            0,
            0,
            0,
            [],
            [],
            0
        );
}
