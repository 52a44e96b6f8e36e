using EgpuFleet.Kernels.Torch.Loading;

namespace EgpuFleet.Torch.Tests;

public sealed class TorchLibraryTests
{
    [Fact]
    public void The_library_needs_the_treatment_at_most_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux builds name versions of the C++ runtime");
        var library = Path.Combine(AppContext.BaseDirectory, "libLibTorchSharp.so");
        Assert.False(TorchLibrary.MakeLoadable(library));
        var image = File.ReadAllBytes(library);
        _ = TorchLibrary.Weaken(image);
        Assert.False(TorchLibrary.Weaken(image));
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 1, 1 })]
    public void What_is_no_library_is_refused(byte[] image) =>
        Assert.Throws<InvalidDataException>(() => TorchLibrary.Weaken(image));
}
