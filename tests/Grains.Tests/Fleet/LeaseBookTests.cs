using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Tests.Policy;

namespace EgpuFleet.Grains.Tests.Fleet;

public sealed class LeaseBookTests
{
    private static readonly LeaseUse Model = new(IsNoop: false);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly LeaseBook book = new(leaseDuration: 10 * Second, unlistedGrace: 4 * Second);
    private readonly LeaseKey lease = Lease(0, "a");

    [Fact]
    public void A_lease_has_no_deadline_until_it_is_handed_over()
    {
        Grant(lease);
        Assert.Empty(book.Expired(1000 * Second));

        book.HandedOver(lease, 5 * Second);

        Assert.Empty(book.Expired(14 * Second));
        Assert.Equal([lease], book.Expired(15 * Second));
    }

    [Fact]
    public void A_renewal_moves_the_deadline_of_exactly_that_lease()
    {
        book.Inherit(lease, Model, TimeSpan.Zero);

        Assert.True(book.Renew(lease, 9 * Second));
        Assert.False(book.Renew(lease with { Epoch = 2 }, 9 * Second));
        Assert.False(book.Renew(Lease(0, "b"), 9 * Second));

        Assert.Empty(book.Expired(18 * Second));
        Assert.Equal([lease], book.Expired(19 * Second));
    }

    [Fact]
    public void A_revoked_lease_is_not_renewed_and_holds_its_device_until_released()
    {
        book.Inherit(lease, Model, TimeSpan.Zero);
        book.Revoke(lease);

        Assert.False(book.Renew(lease, Second));
        Assert.False(book.IsLive(lease));
        Assert.Empty(book.Expired(100 * Second));
        Assert.True(book.LoadOf(lease.Device).Models == 1);
        book.Release(lease.Shard);
        Assert.False(book.LoadOf(lease.Device).Models == 1);
        Assert.Equal(0, book.Count);
    }

    [Fact]
    public void A_lease_not_named_is_lost_after_the_grace_and_only_once_handed_over()
    {
        var nothing = new HashSet<LeaseKey>();
        var node = lease.Device.Node;
        Grant(lease);
        Assert.Empty(book.Unlisted(node, nothing, Second));
        Assert.Empty(book.Unlisted(node, nothing, 50 * Second));

        book.HandedOver(lease, 50 * Second);
        Assert.Empty(book.Unlisted(node, nothing, 51 * Second));
        book.Renew(lease, 52 * Second);
        Assert.Empty(book.Unlisted(node, nothing, 53 * Second));
        Assert.Empty(book.Unlisted(new NodeId("other"), nothing, 60 * Second));
        Assert.Empty(book.Unlisted(node, nothing, 56 * Second));
        Assert.Equal([lease], book.Unlisted(node, nothing, 57 * Second));
    }

    [Fact]
    public void A_second_lease_of_a_shard_or_of_a_model_on_a_device_is_a_broken_invariant()
    {
        Grant(lease);

        Assert.Throws<InvalidOperationException>(() => book.Reserve(Lease(0, "b"), Model));
        Assert.Throws<InvalidOperationException>(() => book.Reserve(Lease(1, "a"), Model));
        Assert.Throws<InvalidOperationException>(() => book.Grant(Lease(2, "b")));
    }

    [Fact]
    public void No_ops_share_a_device_and_a_planned_lease_takes_its_slot_before_it_is_live()
    {
        Grant(lease);
        var (first, second) = (Lease(1, "a"), Lease(2, "a"));

        book.Reserve(first, new LeaseUse(IsNoop: true));
        book.Reserve(second, new LeaseUse(IsNoop: true, IsSuspect: true));

        Assert.Equal(new DeviceLoad(Models: 1, Noops: 2, Suspects: 1), book.LoadOf(lease.Device));
        Assert.False(book.IsLive(first));
        Assert.False(book.Renew(first, Second));
        Assert.Null(book.Of(first.Shard));
        book.Grant(first);
        Assert.True(book.IsLive(first));
        book.Release(second.Shard);
        book.Release(lease.Shard);
        Assert.Equal(new DeviceLoad(Models: 0, Noops: 1, Suspects: 0), book.LoadOf(lease.Device));
    }

    private void Grant(LeaseKey key)
    {
        book.Reserve(key, Model);
        book.Grant(key);
    }

    private static LeaseKey Lease(int number, string node) =>
        new(new ShardId(Given.Job(1), number), Epoch: 1, Given.DeviceId(node));
}
