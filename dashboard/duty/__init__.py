"""The duty desk beside the wall: its queue, the alarm that is open, the wall it steers, its log."""
