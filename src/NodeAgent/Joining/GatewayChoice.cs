namespace EgpuFleet.NodeAgent.Joining;

/// <summary>The gateways, and which of them answered last: it is asked first, by all clients.</summary>
public sealed class GatewayChoice(IReadOnlyList<Uri> gateways)
{
    private volatile int first;

    public int Count => gateways.Count;

    /// <summary>All gateways in the order in which they are to be asked now.</summary>
    public IEnumerable<Uri> InOrder()
    {
        var start = first;
        for (var i = 0; i < gateways.Count; i++)
            yield return gateways[(start + i) % gateways.Count];
    }

    public void Answered(Uri gateway)
    {
        for (var i = 0; i < gateways.Count; i++)
        {
            if (gateways[i] == gateway)
                first = i;
        }
    }
}
