using EgpuFleet.Kernels.Formats.Adapters;

namespace EgpuFleet.Formats.Tests.Adapters;

/// <summary>The same numbers stand in the Python package's tests: every engine begins an adapter alike.</summary>
public sealed class AdapterStartTests
{
    [Fact]
    public void The_first_values_are_those_of_every_engine()
    {
        var values = AdapterStart.Of(42, "blk.0.attn_q.lora_a", rank: 2, inputs: 3);
        uint[] expected = [0x3f048b00, 0xbf0694fe, 0x3d3bacec, 0xbe9b0967, 0x3df18b42, 0xbeb9c5fc];
        Assert.Equal(expected, values.Select(BitConverter.SingleToUInt32Bits));
        Assert.Equal(0x3dbf28aeu, BitConverter.SingleToUInt32Bits(AdapterStart.Of(-1, "ä", rank: 1, inputs: 64)[63]));
    }
}
